# SPDX-License-Identifier: GPL-2.0
"""Two hosts (namespaces `a` and `b` joined by veth) and transfers between them
with the xfer program. What a scenario checks about them is its own matter."""

import os
import re

from . import net, packet

ADDR = {name: packet.spelt(addr) for name, addr in (("a", "10.1.0.1"), ("b", "10.1.0.2"))}
PREFIX, NODAD = (120, " nodad") if packet.V6 else (24, "")
NETEM = "delay 30ms 10ms loss 2% reorder 5% duplicate 1% corrupt 0.5% limit 20000"


class TwoHosts(net.Namespaces):
    """with TwoHosts() as hosts: a (10.1.0.1) -- b (10.1.0.2), of the family that is being run: see ADDR"""

    def __init__(self, netem="", mtu=1500):
        super().__init__("a", "b")
        self.netem, self.mtu, self.dumps = netem, mtu, []

    def __enter__(self):
        """All in five processes: what takes microseconds on a host takes a tenth of a second in an emulated machine."""
        self.dev = {"a": "vb", "b": "va"}
        mac = {"a": "02:00:00:00:00:0a", "b": "02:00:00:00:00:0b"}
        one, two = self.tag + "a", self.tag + "b"
        script = [f"ip -batch - <<E\nnetns add {one}\nnetns add {two}\nE",
                  f"ip link add vb address {mac['a']} mtu {self.mtu} netns {one} type veth "
                  f"peer name va address {mac['b']} mtu {self.mtu} netns {two}"]
        for name, other in (("a", "b"), ("b", "a")):
            dev = self.dev[name]
            script.append(f"ip -n {self.tag}{name} -batch - <<E\nlink set lo up\naddr add {ADDR[name]}/{PREFIX} dev {dev}{NODAD}\n"
                          f"link set {dev} up\nneigh replace {ADDR[other]} lladdr {mac[other]} dev {dev}\nE")
            if self.netem:
                script.append(f"tc -n {self.tag}{name} qdisc add dev {dev} root netem {self.netem}")
        net.sh("set -e\n" + "\n".join(script))
        for name in self.dev:
            net.address_works(ADDR[name], lambda command, name=name: self.run(name, command))
        return self

    def __exit__(self, *exc):
        for dump in self.dumps:
            dump.kill()
            dump.wait()
        super().__exit__(*exc)

    def watch(self, name, expression):
        """tcpdump in one namespace; .text() of the result is what it has seen."""
        dump = self.spawn(name, ["tcpdump", "-Z", "root", "-nn", "-v", "-l", "-i", self.dev[name], expression])
        self.dumps.append(dump)
        # It says "listening on" when its socket is there.
        for line in dump.stdout:
            if "listening on" in line:
                return dump
        raise net.Failed("tcpdump did not start")

    def start(self, port, left, right, options="", left_options="", right_options=""):
        """xfer between a (server, protocol `left`) and b (client, protocol `right`)."""
        base = f"{net.PROGS}/xfer"
        server = self.spawn("a", f"{base} server {ADDR['a']} {port} --proto {left} {options} {left_options}".split())
        client = self.spawn("b", f"{base} client {ADDR['a']} {port} --proto {right} {options} {right_options}".split())
        return server, client

    def finish(self, pair, what, timeout=900):
        """Both ends' JSON reports; fails unless both are content."""
        out = [net.last_json(net.finish(p, f"xfer {side} of {what}", timeout)) for side, p in
               zip(("server", "client"), pair)]
        return out

    def transfer(self, port, left, right, what, options="", timeout=900, **more):
        return self.finish(self.start(port, left, right, options, **more), what, timeout)


def stop_watch(dump):
    """Ends a tcpdump; returns the packets it has printed, a line each, without those that netem has corrupted."""
    dump.terminate()
    text, _ = dump.communicate(timeout=net.patience(20))
    packets = re.sub(r"\n\s+", " ", text).splitlines()
    return [line for line in packets if re.match(r"\d\d:\d\d:\d\d", line) and not corrupted(line)]


def corrupted(line):
    """Netem flips one bit of a segment, perhaps of its flags, after the checksum was filled in: the sum is then off by
    a power of two. (That of a segment whose checksum is left to the device is off by anything.) Or it flips one of the IP header, whose
    own sum is then bad; with another length of that header tcpdump takes options for ports and flags."""
    if re.search(r"bad cksum \w+ \(->", line):
        return True
    m = re.search(r"cksum 0x(\w+) \(incorrect -> 0x(\w+)\)", line)
    if not m:
        return False
    off = (int(m.group(1), 16) - int(m.group(2), 16)) % 0xffff
    return off.bit_count() == 1 or (0xffff - off).bit_count() == 1


def unowed_resets(packets):
    """Of what a watch with SYN, FIN and RST saw: the resets that no stack owes. One is owed to a segment that
    comes (late, or twice) for a connection of which both FINs have been seen: the side that closed second has
    forgotten it by then."""
    closed, opened, bad = {}, {}, []
    for line in packets:
        m = re.search(r"(\S+) > (\S+): Flags \[([^\]]*)\]", line)
        if not m:
            continue
        pair, flags = frozenset(m.group(1, 2)), m.group(3)
        if "S" in flags:
            closed[pair] = set()
            opened.setdefault(pair, set()).add(m.group(1))
        if "F" in flags:
            closed.setdefault(pair, set()).add(m.group(1))
        refused = m.group(1) not in opened.get(pair, ())  # nobody listened yet: the client tries again
        if "R" in flags and len(closed.get(pair, ())) < 2 and not refused:
            bad.append(line)
    return bad


def tested():
    """The protocol under test, as xfer names it."""
    return net.PROTO_NAME


def kernel_name():
    return os.environ.get("ATCP_KERNEL") or os.environ.get("ATCP_IN_VM", "host")
