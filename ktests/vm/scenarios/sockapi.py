#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: a hundred call sequences give the same values, errors and poll masks on both stacks
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# seconds: 450
"""Runs the sockapi_* programs, which compare atcp with the kernel's TCP call by
call, in a namespace that has a silent neighbour for attempts that must hang."""

import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess

from lib import net, packet
from lib.tun import Peer, Tun

SILENT, SECOND = packet.spelt("10.255.255.1"), packet.spelt("127.0.0.2")


def run(program, *sequences):
    net.sh("ip link add s0 type veth peer name s1 && ip link set s0 up && ip link set s1 up && "
           f"ip addr add {packet.spelt('10.255.0.1/16')} dev s0{' nodad' if packet.V6 else ''} && ip neigh add {SILENT} lladdr 02:00:00:00:00:99 dev s0")
    if packet.V6:
        net.sh(f"ip addr replace {SECOND} dev lo")
    done = subprocess.run([f"{net.PROGS}/{program}", "--proto", net.PROTO_NAME, *sequences], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=380, check=False)
    for line in done.stdout.splitlines():
        if not line.startswith("ok ") or "#" in line:
            print("   ", line)
    net.equal(done.returncode, 0, f"{program}'s status")


def connections():
    run("sockapi_conn")


def data():
    run("sockapi_io")


def options():
    run("sockapi_opts")


def urgent():
    run("sockapi_urgent")


def more():
    run("sockapi_more")


def more_over_a_bad_link():
    """Segmentation in software finds the byte that is to be stamped; pieces of a program's pages are cut, sent again, trimmed."""
    net.interface_up("lo")
    net.sh("ethtool -K lo tso off")
    run("sockapi_more", "stamps_of_what_is_sent", "stamps_of_a_long_write", "zerocopy_writes")
    net.sh("tc qdisc add dev lo root netem loss 4% delay 1ms")
    for _ in range(3):
        net.sh("ip link del s0")
        run("sockapi_more", "zerocopy_writes", "zerocopy_and_more")


TCP_INQ = 36


def what_is_left_in_the_queue():
    """A control message of recvmsg() tells the bytes that it left; the same on both stacks."""
    told = []
    for proto in (socket.IPPROTO_TCP, net.PROTO):
        lst = net.listener("127.0.0.1", 8088, proto=proto)
        one = net.new_socket(proto=proto)
        one.connect(("127.0.0.1", 8088))
        conn = net.accept(lst)
        conn.setsockopt(socket.IPPROTO_TCP, TCP_INQ, 1)
        one.sendall(b"0123456789")
        net.until(lambda: len(conn.recv(100, socket.MSG_PEEK)) == 10, 2, "ten bytes")
        data, control, _, _ = conn.recvmsg(4, 64)
        told.append((data, control))
        for s in (one, conn, lst):
            s.close()
    net.equal(told[0][1], [(socket.IPPROTO_TCP, TCP_INQ, struct.pack("i", 6))], "the kernel's TCP")
    net.equal(told[1], told[0], "ours")


def packets_from_too_far():
    """IP_MINTTL: what came over more routers than that is not taken."""
    lst = net.listener("127.0.0.1", 8089)
    lst.setsockopt(*net.IP_MINTTL, 100)
    net.equal(lst.getsockopt(*net.IP_MINTTL), 100, "the value")
    one = net.new_socket()
    one.setsockopt(*net.IP_TTL, 99)
    one.settimeout(1.5)
    net.equal(one.connect_ex(("127.0.0.1", 8089)), errno.EAGAIN, "a connect from too far")
    one.close()
    two = net.new_socket()
    two.setsockopt(*net.IP_TTL, 100)
    two.connect(("127.0.0.1", 8089))
    net.accept(lst).close()


SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
ROUTER = "10.9.0.7"


def next_packet(tun, port, seq=None):
    """The next whole packet of TCP that the stack sends from or to that port, with that sequence number if one is given: a slow machine may
    have sent again what was acknowledged meanwhile."""
    while True:
        data = tun.read_raw(net.patience(2))
        net.check(data is not None, "the stack sent nothing")
        if data[6 if packet.V6 else 9] == 6 and port in struct.unpack_from("!HH", data, packet.IP_HEADER) and \
           seq in (None, struct.unpack_from("!I", data, packet.IP_HEADER + 4)[0]):
            return data


def errors_while_connecting(tun, proto, recverr):
    told = []
    kinds = ((3, 1), (3, 3), (3, 13), (11, 0), (12, 0))
    if not packet.V6:
        kinds += ((3, 5), (3, 7), (3, 8))  # ICMPv6 has none of them
    for port, (kind, code) in enumerate(kinds, 9000 + 10 * recverr):
        one = net.new_socket(blocking=False, proto=proto)
        one.setsockopt(*net.IP_RECVERR, recverr)
        one.connect_ex((tun.peer, port))
        syn = next_packet(tun, port)
        net.equal(net.error_of(one.recvmsg, 200, 512, socket.MSG_ERRQUEUE), "EAGAIN", "before the error")
        # Of another sequence number: a forgery.
        at = packet.IP_HEADER + 4
        forged = syn[:at] + bytes([syn[at] ^ 0x40]) + syn[at + 1:]
        tun.send_raw(packet.ipv4(ROUTER, tun.local, packet.icmp(kind, code, forged), proto=1))
        tun.send_raw(packet.ipv4(ROUTER, tun.local, packet.icmp(kind, code, syn, 77), proto=1))
        net.until(lambda: polled(one, select.POLLERR), 2, "POLLERR")  # pylint: disable=cell-var-from-loop
        try:
            data, control, flags, addr = one.recvmsg(200, 512, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            data, control, flags, addr = b"", [], 0, None  # over IPv6 only for those who asked
        told.append((len(data), data[2:4], control, flags, addr, one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
                     net.error_of(one.recvmsg, 200, 512, socket.MSG_ERRQUEUE), polled(one, select.POLLERR)))
        one.close()
    return told


def icmp_in_the_error_queue():
    """An ICMP error about a SYN comes with what it quotes through the error queue, the same on both stacks."""
    tun = Tun()
    for recverr in (0, 1):
        kernel = errors_while_connecting(tun, socket.IPPROTO_TCP, recverr)
        if recverr or not packet.V6:
            net.equal(struct.unpack_from("I", kernel[0][2][0][2])[0], errno.EHOSTUNREACH, "the kernel's TCP")
        net.equal(errors_while_connecting(tun, net.PROTO, recverr), kernel, f"ours, IP_RECVERR {recverr}")


def errors_of_a_connection(tun, proto, port):
    """SO_ERROR after an ICMP error about data, without IP_RECVERR, with it, and if the quoted packet (IPv6: the one that quotes it)
    came from too far."""
    lst = net.listener(port=port, proto=proto)
    peer = Peer(tun, stack_port=port)
    peer.connect()
    conn = net.accept(lst)
    told = []
    for recverr, ttl, least in ((0, 64, 0), (1, 64, 0), (1, 64, 100), (1, 100, 100)):
        conn.setsockopt(*net.IP_RECVERR, recverr)
        conn.setsockopt(*net.IP_TTL, ttl)
        conn.setsockopt(*net.IP_MINTTL, 0)
        conn.sendall(b"data")
        data = next_packet(tun, port, peer.rcv)
        conn.setsockopt(*net.IP_MINTTL, least)
        tun.send_raw(packet.ipv4(ROUTER, tun.local, packet.icmp(3, 1, data), proto=1, ttl=ttl))
        mask = polled(conn, select.POLLERR)
        told.append((mask, conn.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
                     net.error_of(conn.recvmsg, 200, 512, socket.MSG_ERRQUEUE)))
        conn.setsockopt(*net.IP_MINTTL, 0)
        peer.rcv = (peer.rcv + 4) & 0xFFFFFFFF
        peer.send("A")
    for sock in (conn, lst):
        sock.close()
    tun.drain(0.05)
    return told


def icmp_about_a_connection():
    """IP_RECVERR makes it an error at once, and IP_MINTTL is asked about the packet that it quotes."""
    tun = Tun()
    kernel = errors_of_a_connection(tun, socket.IPPROTO_TCP, 9100)
    # A soft error is told to whoever asks, but wakes nobody.
    net.equal([(mask, error) for mask, error, _ in kernel],
              [(0, errno.EHOSTUNREACH), (select.POLLERR, errno.EHOSTUNREACH), (0, 0), (select.POLLERR, errno.EHOSTUNREACH)],
              "the kernel's TCP")
    net.equal(errors_of_a_connection(tun, net.PROTO, 9101), kernel, "ours")


TCP_FASTOPEN = 23
SERVER_WITHOUT_COOKIES = 0x202  # of tcp_fastopen, and of our parameter


def error_of_an_early_one(tun, proto, port, accepted, recverr):
    """What a program sees of a connection whose SYN brought data, and about whose SYN-ACK an ICMP error comes."""
    lst = net.listener(port=port, proto=proto)
    lst.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 5)
    lst.setsockopt(*net.IP_RECVERR, recverr)
    peer = Peer(tun, stack_port=port)
    peer.send("S", b"early", options=packet.mss(packet.MSS) + packet.fastopen())
    syn_ack = next_packet(tun, port)
    peer.rcv = (struct.unpack_from("!I", syn_ack, packet.IP_HEADER + 4)[0] + 1) & 0xFFFFFFFF
    conn = net.accept(lst) if accepted else None
    tun.send_raw(packet.ipv4(ROUTER, tun.local, packet.icmp(3, 1, syn_ack), proto=1))
    conn = conn or net.accept(lst)
    mask = polled(conn, select.POLLIN | select.POLLOUT | select.POLLERR)
    try:
        queued = conn.recvmsg(200, 512, socket.MSG_ERRQUEUE)[1:3]
    except BlockingIOError:
        queued = None
    told = [mask, net.state(conn), queued, conn.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), net.error_of(conn.recv, 100, 0)]
    peer.send("A")
    told += [net.state(conn), net.error_of(conn.send, b"answer")]
    for sock in (conn, lst):
        sock.close()
    tun.drain(0.05)
    return told


def icmp_about_an_early_connection():
    """Fast Open: an ICMP error ends what waits to be accepted, and is as of any connection for the program that has accepted it."""
    with open("/proc/sys/net/ipv4/tcp_fastopen", "w", encoding="ascii") as f:
        f.write(str(SERVER_WITHOUT_COOKIES))
    if net.IS_ATCP:
        net.set_param("fastopen", SERVER_WITHOUT_COOKIES)
    tun = Tun()
    for port, (accepted, recverr) in enumerate(((True, 0), (True, 1), (False, 0), (False, 1)), 9400):
        kernel = error_of_an_early_one(tun, socket.IPPROTO_TCP, port, accepted, recverr)
        net.equal((kernel[1], kernel[5]), ("SYN_RECV", "ESTABLISHED") if accepted else ("CLOSE", "CLOSE"), "the kernel's TCP")
        net.equal(error_of_an_early_one(tun, net.PROTO, port + 10, accepted, recverr), kernel,
                  f"ours, accepted {accepted}, IP_RECVERR {recverr}")


SO_TIMESTAMPING = 37
SOF_SOFTWARE, SOF_OPT_ID, SOF_TX_ACK, SOF_TSONLY, SOF_OPT_ID_TCP = (1 << n for n in (4, 7, 9, 11, 16))


def number_of_a_stamp(sock):
    net.until(lambda: polled(sock, select.POLLERR), 2, "a stamp")
    _, control, _, _ = sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)
    return next(struct.unpack_from("IBBBBII", data)[6] for level, _, data in control if level in (socket.IPPROTO_IP, socket.IPPROTO_IPV6))


def acknowledged(peer):
    peer.take(None)
    peer.send("A")


def numbers_of(tun, proto, port, flags):
    """Of the last byte of a write after the option was set: before ten bytes were acknowledged; in SYN_SENT."""
    lst = net.listener(port=port, proto=proto)
    peer = Peer(tun, stack_port=port)
    peer.connect()
    conn = net.accept(lst)
    conn.sendall(b"0123456789")
    conn.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, flags)
    acknowledged(peer)
    conn.sendall(b"abcde")
    acknowledged(peer)
    numbers = [number_of_a_stamp(conn)]
    peer = Peer(tun, port=port)
    one = net.new_socket(blocking=False, proto=proto)
    one.connect_ex((tun.peer, port))
    one.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, flags)
    peer.accept()
    one.send(b"abc")
    acknowledged(peer)
    numbers.append(number_of_a_stamp(one))
    for sock in (one, conn, lst):
        sock.close()
    tun.drain(0.05)
    return numbers


def bytes_are_numbered_from_when_the_option_was_set():
    """SOF_TIMESTAMPING_OPT_ID: from what was acknowledged then; with OPT_ID_TCP from what was written."""
    if net.kernel_before(6, 6):
        raise net.Skipped("before 6.6 the kernel tells no other protocol that the option was set")
    tun = Tun()
    flags = SOF_SOFTWARE | SOF_OPT_ID | SOF_TX_ACK | SOF_TSONLY
    for port, (more, want) in enumerate(((0, [14, 3]), (SOF_OPT_ID_TCP, [4, 2])), 9500):
        net.equal(numbers_of(tun, socket.IPPROTO_TCP, port, flags | more), want, "the kernel's TCP")
        net.equal(numbers_of(tun, net.PROTO, port + 10, flags | more), want, f"ours, OPT_ID_TCP {bool(more)}")


def number_after_a_new_count(tun, proto, port):
    """Of a stamp that waits while the option is taken away, or is set anew."""
    numbers = []
    for flags in (0, SOF_SOFTWARE | SOF_OPT_ID | SOF_TX_ACK | SOF_TSONLY):
        lst = net.listener(port=port, proto=proto)
        peer = Peer(tun, stack_port=port)
        peer.connect()
        conn = net.accept(lst)
        conn.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, SOF_SOFTWARE | SOF_OPT_ID | SOF_TX_ACK | SOF_TSONLY)
        conn.sendall(b"abcde")
        acknowledged(peer)
        net.until(lambda: polled(conn, select.POLLERR), 2, "a stamp")  # pylint: disable=cell-var-from-loop
        conn.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, 0)
        conn.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, flags)
        if flags:
            conn.sendall(b"xyz")
            acknowledged(peer)
        numbers += [number_of_a_stamp(conn) for _ in range(1 + bool(flags))]
        for sock in (conn, lst):
            sock.close()
        tun.drain(0.05)
        port += 1
    return numbers


def a_stamp_that_waits_keeps_its_number():
    """What is in the error queue was counted when it came there."""
    tun = Tun()
    net.equal(number_after_a_new_count(tun, socket.IPPROTO_TCP, 9520), [4, 4, 2], "the kernel's TCP")
    net.equal(number_after_a_new_count(tun, net.PROTO, 9530), [4, 4, 2], "ours")


ICMP_CODES = [(kind, code) for kind, codes in ((3, 16), (11, 1), (12, 1)) for code in range(codes)
              if (kind, code) != packet.FRAG_NEEDED and (not packet.V6 or (kind, code) in packet.ICMP6)]


def ends_a_request(tun, proto, port):
    """Of the ICMP errors, those after which the third ACK finds no request."""
    lst = net.listener(port=port, proto=proto)
    ended = []
    for kind, code in ICMP_CODES:
        peer = Peer(tun, stack_port=port)
        peer.send("S", options=packet.mss(packet.MSS))
        syn_ack = next_packet(tun, port)
        peer.rcv = (struct.unpack_from("!I", syn_ack, packet.IP_HEADER + 4)[0] + 1) & 0xFFFFFFFF
        tun.send_raw(packet.ipv4(ROUTER, tun.local, packet.icmp(kind, code, syn_ack), proto=1))
        peer.send("A", b"data")
        answer = next_packet(tun, port, peer.rcv)
        if answer[packet.IP_HEADER + 13] & packet.RST:
            ended.append((kind, code))
        else:
            net.accept(lst).close()
    lst.close()
    tun.drain(0.05)
    return ended


def icmp_about_a_request():
    """Which ICMP errors end a request: the same on both stacks."""
    tun = Tun()
    kernel = ends_a_request(tun, socket.IPPROTO_TCP, 9540)
    net.check(kernel and len(kernel) < len(ICMP_CODES), f"the kernel's TCP: {kernel}")
    net.equal(ends_a_request(tun, net.PROTO, 9541), kernel, "ours")


def send_from(tun, peer, ttl, flags, **more):
    tun.send_raw(packet.ipv4(peer.addr, tun.local, peer.build(flags, **more), ttl=ttl))


def filtered(sock, on):
    """A filter that takes nothing, or none."""
    if not on:
        sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        return
    nothing = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0), 8)
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxQ", 1, ctypes.addressof(nothing)))


def a_listener_decides_for_its_requests():
    """IP_MINTTL and a filter of the listener hold for what completes a handshake."""
    tun = Tun()
    lst = net.listener(port=9200)
    lst.setsockopt(*net.IP_MINTTL, 100)
    peer = Peer(tun, stack_port=9200)
    send_from(tun, peer, 99, "S", options=packet.mss(packet.MSS))
    peer.silence(0.2, "to a SYN from too far")
    send_from(tun, peer, 100, "S", options=packet.mss(packet.MSS))
    syn_ack = peer.expect("SA")
    peer.snd, peer.rcv = syn_ack.ack, (syn_ack.seq + 1) & 0xFFFFFFFF
    send_from(tun, peer, 99, "A")
    net.check(not net.readable(lst, 0.2), "a third ACK from too far")
    filtered(lst, True)
    send_from(tun, peer, 100, "A")
    net.check(not net.readable(lst, 0.2), "a third ACK that the filter refuses")
    filtered(lst, False)
    send_from(tun, peer, 100, "A")
    net.accept(lst).close()


def a_listener_decides_for_time_wait():
    """The same for a SYN that would take the place of a TIME_WAIT entry; on both stacks."""
    tun = Tun()
    for port, proto in ((9300, socket.IPPROTO_TCP), (9301, net.PROTO)):
        lst = net.listener(port=port, proto=proto)
        peer = Peer(tun, stack_port=port)
        peer.connect()
        conn = net.accept(lst)
        conn.close()
        fin = peer.expect("FA")
        peer.rcv = (fin.seq + 1) & 0xFFFFFFFF
        peer.send("FA")
        peer.expect("A")
        again = dict(seq=(peer.snd + 100000) & 0xFFFFFFFF, options=packet.mss(packet.MSS))
        refusals = ((99, False), (100, True))
        if proto == socket.IPPROTO_TCP:
            refusals = ()  # it has let go of its entry before it asks
        lst.setsockopt(*net.IP_MINTTL, 100)
        for ttl, by_filter in refusals:
            if by_filter:
                filtered(lst, True)
            send_from(tun, peer, ttl, "S", **again)
            peer.silence(0.2, f"to a SYN, TTL {ttl}, filter {by_filter}")
        if refusals:
            filtered(lst, False)
        send_from(tun, peer, 100, "S", **again)
        peer.expect("SA")
        lst.close()
        tun.drain(0.05)


def at_mark(sock):
    return struct.unpack("i", fcntl.ioctl(sock, 0x8905, b"\0" * 4))[0]  # SIOCATMARK


def polled(sock, mask):
    poll = select.poll()
    poll.register(sock, mask)
    return dict(poll.poll(0)).get(sock.fileno(), 0)


def urgent_one_way(sender, receiver, inline):
    """`ab!cd`, the `!` urgent: SIGURG, POLLPRI, a read that ends at the mark, the byte by itself or in the stream."""
    signals = []
    signal.signal(signal.SIGURG, lambda *_: signals.append(1))
    fcntl.fcntl(receiver, fcntl.F_SETOWN, os.getpid())
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, inline)
    sender.sendall(b"ab")
    net.equal(sender.send(b"!", socket.MSG_OOB), 1, "send(MSG_OOB)")
    sender.sendall(b"cd")
    net.until(lambda: polled(receiver, select.POLLPRI), 2, "POLLPRI")
    net.equal(len(signals), 1, "SIGURG")
    net.equal(at_mark(receiver), 0, "at the mark before reading")
    net.equal(receiver.recv(10), b"ab", "read up to the mark")
    net.equal(at_mark(receiver), 1, "at the mark")
    if inline:
        net.equal(net.error_of(receiver.recv, 1, socket.MSG_OOB), "EINVAL", "recv(MSG_OOB)")
        rest = b"!cd"
    else:
        net.equal(receiver.recv(1, socket.MSG_OOB), b"!", "recv(MSG_OOB)")
        rest = b"cd"
    got = b""
    while len(got) < len(rest):
        got += receiver.recv(10)
    net.equal(got, rest, "read behind the mark")
    net.equal((at_mark(receiver), polled(receiver, select.POLLPRI)), (0, 0), "afterwards")


def urgent_between_stacks():
    """Both ends here, then each end against the kernel's TCP; both directions of each connection."""
    net.interface_up("lo")
    for port, (server, client) in enumerate(((net.PROTO, net.PROTO), (0, net.PROTO), (net.PROTO, 0)), 7001):
        listener = net.listener("127.0.0.1", port, proto=server)
        one = net.new_socket(proto=client)
        one.connect(("127.0.0.1", port))
        two = net.accept(listener)
        for inline in (0, 1):
            urgent_one_way(one, two, inline)
            urgent_one_way(two, one, inline)
        # Urgent data of 200 000 bytes, three times what the pointer reaches: its last byte is the urgent one.
        pid = os.fork()
        if pid == 0:
            one.send(b"u" * 199999 + b"!", socket.MSG_OOB)
            os._exit(0)
        two.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 0)
        got = 0
        while got < 199999:
            got += len(two.recv(65536))
        net.until(lambda: polled(two, select.POLLPRI), 2, "POLLPRI")  # pylint: disable=cell-var-from-loop
        net.equal((two.recv(1, socket.MSG_OOB), at_mark(two)), (b"!", 1), "urgent byte of a long write")
        os.waitpid(pid, 0)


if __name__ == "__main__":
    net.main(connections, data, options, more, more_over_a_bad_link, what_is_left_in_the_queue, packets_from_too_far,
             icmp_in_the_error_queue, icmp_about_a_connection, icmp_about_an_early_connection,
             bytes_are_numbered_from_when_the_option_was_set, a_stamp_that_waits_keeps_its_number, icmp_about_a_request, a_listener_decides_for_its_requests,
             a_listener_decides_for_time_wait, urgent, urgent_between_stacks)
