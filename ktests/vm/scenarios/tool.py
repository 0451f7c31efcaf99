#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: text, JSON, exit codes and error messages of every command of the atcp tool, and what explain says to a server that accepts too slowly
# mode: smp
# families: 4, texts of the tool; how it writes an address of IPv6 is among its unit tests
# kernels: 6.1 6.12
# needs: atcp
# seconds: 400
"""The control tool against a live module, word for word: numbers that differ
from run to run are replaced by N before a text is compared."""

import json
import os
import re
import signal
import socket
import subprocess
import threading

from lib import net
from lib.net import check, equal

ATCP = f"{net.TOOLS}/atcp"


def run(arguments, status=0, prefix=""):
    """What the tool prints; its exit status has to be this."""
    done = subprocess.run(f"{prefix} {ATCP} {arguments}", shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode != status:
        raise net.Failed(f"`atcp {arguments}` ended with {done.returncode}, want {status}: {done.stderr or done.stdout}")
    return done.stdout if status == 0 or not done.stderr else done.stderr


def comm():
    """The name of this program, which depends upon how it was started."""
    with open("/proc/self/comm", encoding="utf-8") as f:
        return f.read().strip()


def masked(text):
    """Without numbers and without the width of columns."""
    text = re.sub(r"\b\d+(\.\d+)?(us|ms|s|K|M|G)?\b", "N", text)
    return [" ".join(line.split()) for line in text.splitlines()]


def has(text, *parts):
    for part in parts:
        check(part in text, f"`{part}` is not in: {text}")


def pair(port=8080, backlog=7):
    """A listener, and both ends of a connection to it."""
    lst = net.listener("127.0.0.1", port, backlog=backlog)
    one = net.new_socket()
    one.connect(("127.0.0.1", port))
    return lst, one, net.accept(lst)


def end(*sockets):
    for s in sockets:
        s.close()


# ------------------------------------------------------------------- sockets


def sockets_as_text():
    lst, one, two = pair()
    two.send(b"x" * 1000)
    net.until(lambda: any(c.get("recvq") == 1000 for c in net.connections()), 2, "1000 bytes in a receive queue")
    text = run("sockets -p src 127.0.0.1 sport 8080")
    name = f"{comm()}[{os.getpid()}]"
    equal(masked(text.replace(name, "PROGRAM")),
          ["State Recv-Q Send-Q Local Address:Port Peer Address:Port UID CC Cwnd RTT RTO Retrans Acked Received Expires ID Program",
           "LISTEN N N N.N:N *:* N - - - - - - - - N PROGRAM", "ESTAB N N N.N:N N.N:N N reno N N N N N N - N PROGRAM"], text)
    end(one, two, lst)


def sockets_are_filtered_by_the_kernel():
    lst, one, two = pair()
    mine = one.getsockname()[1]

    def ports(filter_words):
        return sorted(c["local_port"] for c in json.loads(run(f"--json sockets --listening no {filter_words}"))["sockets"])

    equal(ports("state established"), sorted([8080, mine]), "established")
    equal(ports("sport 8080"), [8080], "sport")
    equal(ports(f"dport {mine}"), [8080], "dport")
    equal(ports("dport 8000-8099"), [mine], "range")
    equal(ports("dst 127.0.0.0/8:8080"), [mine], "prefix")
    equal(ports("dst 10.0.0.0/8"), [], "another prefix")
    equal(ports("uid 65534"), [], "uid")
    equal(ports("state time-wait"), [], "state")
    equal(ports("cc nosuch"), [], "cc")
    own = json.loads(run("--json listeners"))[0]["id"]
    equal(ports(f"listener {own}"), [8080], "listener")
    one_id = json.loads(run(f"--json sockets --listening no sport {mine}"))["sockets"][0]["id"]
    equal(ports(f"id {one_id}"), [mine], "id")
    # The ID is the cookie that the program itself can ask for.
    equal(one_id, int.from_bytes(one.getsockopt(socket.SOL_SOCKET, 57, 8), "little"), "cookie")
    end(one, two, lst)


def one_socket_in_full():
    lst, one, two = pair()
    two.send(b"x" * 5000)
    equal(len(one.recv(5000, socket.MSG_WAITALL)), 5000, "bytes")
    port = one.getsockname()[1]
    found = json.loads(run("--json sockets --listening no sport 8080"))["sockets"][0]
    full = json.loads(run(f"--json show {found['id']}"))
    for name in ("id", "state", "local_address", "programs", "cwnd", "bytes_sent", "segs_out", "snd_nxt", "pmtu", "min_rtt_us", "options",
                 "delivered", "age_us", "handshake_us", "limited_by", "limited_us", "in_state_ms"):
        check(name in full, f"{name} is not in {full}")
    equal(full["peer_port"], port, "peer_port")
    equal(full["bytes_sent"] - full.get("bytes_retrans", 0), 5000, "bytes_sent, but for what this machine was too slow to acknowledge")
    near = abs(sum(full["limited_us"].values()) - full["age_us"])
    check(near <= 1, f"the shares {full['limited_us']} do not add up to {full['age_us']}")
    text = run(f"show {found['id']}")
    has(text, f"ESTAB  127.0.0.1:8080 -> 127.0.0.1:{port}", f"open in {comm()}[{os.getpid()}]", "cc reno", "options timestamps sack wscale",
        "time went into", "%")
    equal(run("show 4242424242", 1), "atcp: there is no socket with ID 4242424242 (atcp sockets shows them)\n", "no such socket")
    end(one, two, lst)


def killed_by_a_filter():
    lst, one, two = pair()
    equal(run("kill", 2), "atcp: kill: which ones? At least one condition is needed (all: state connected)\n", "kill without a condition")
    equal(run("kill dport 8080"), "1 socket killed\n", "kill")
    equal(net.error_of(one.recv, 1), "ECONNABORTED", "the killed one")
    equal(net.error_of(two.recv, 1), "ECONNRESET", "its peer")
    equal(json.loads(run("--json kill dport 8080")), {"killed": 0}, "kill again")
    has(run("kill dport 8080", 1, NOBODY), "CAP_NET_ADMIN")
    equal(len(json.loads(run("--json listeners"))), 1, "listeners left")
    end(one, two, lst)


# ------------------------------------------------------------------- events

NOBODY = "setpriv --reuid 65534 --clear-groups --bounding-set -all --inh-caps -all"
LIFE = ["request_made", "UNCONN > SYN-RECV", "request_promoted", "SYN-RECV > ESTAB", "ESTAB > CLOSE-WAIT", "CLOSE-WAIT > LAST-ACK",
        "closed", "LAST-ACK > UNCONN"]


def watching(arguments, prefix=""):
    """`atcp monitor` in the background, once it has subscribed."""
    before = net.atcp_json("tables")["subscribers"]
    process = subprocess.Popen(f"exec {prefix} {ATCP} {arguments}", shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    net.until(lambda: net.atcp_json("tables")["subscribers"] > before or process.poll() is not None, 10, "a subscription")
    return process


def output(process, status=0):
    """What it printed, when it has ended by itself."""
    out, err = process.communicate(timeout=120 * net.SLOW)
    equal((process.returncode, err), (status, ""), "status and errors of the tool")
    return out


def whole_life(lst):
    """A connection to the listener at port 8080 whose client closes first; the ID of the server's end."""
    one = net.new_socket()
    one.connect(("127.0.0.1", 8080))
    two = net.accept(lst)
    one.sendall(b"hello")
    equal(two.recv(10), b"hello", "data")
    one.close()
    equal(two.recv(10), b"", "end of data")
    ident = int.from_bytes(two.getsockopt(socket.SOL_SOCKET, 57, 8), "little")
    two.close()
    return ident


def records_of(what):
    """The closing records, as soon as there are two of them: each end makes its own."""
    net.until(lambda: len(json.loads(run(f"--json records {what}"))) == 2, 10, "two records")
    return json.loads(run(f"--json records {what}"))


def monitor_as_text():
    lst = net.listener("127.0.0.1", 8080)
    life = watching("monitor --kind state,closed,request-made,request_promoted --count 8 sport 8080")
    ident = whole_life(lst)
    text = output(life)
    lines = [re.sub(r"mostly \S+( N%)?", "mostly X", line) for line in masked(text)]
    who = "N.N:N N.N:N id N"
    equal(lines, [f"N:N:N request_made {who}", f"N:N:N state {who} UNCONN > SYN-RECV", f"N:N:N request_promoted {who}",
                  f"N:N:N state {who} SYN-RECV > ESTAB", f"N:N:N state {who} ESTAB > CLOSE-WAIT", f"N:N:N state {who} CLOSE-WAIT > LAST-ACK",
                  f"N:N:N closed {who} normal_close by the peer's FIN after N, acked N, received N, retrans N, mostly X",
                  f"N:N:N state {who} LAST-ACK > UNCONN"], text)
    check(f"id {ident} " in text, f"the server's ID is not in: {text}")
    check("\033" not in text, "colours without a terminal")
    lst.close()


def monitor_as_json():
    lst = net.listener("127.0.0.1", 8080)
    life = watching("--json monitor --kind state --kind closed,request_made,request_promoted --count 8 sport 8080")
    ident = whole_life(lst)
    events = [json.loads(line) for line in output(life).splitlines()]
    equal([f"{e['old_state']} > {e['new_state']}" if e["kind"] == "state" else e["kind"] for e in events], LIFE, "events")
    record = events[6].pop("record")
    equal((record["id"], record["ended_by"], record["reason"], record["bytes_received"]), (ident, "peer_fin", "normal_close", 5), "record")
    equal(sorted(events[6]), sorted(["kind", "time_ns", "seq", "id", "local_address", "local_port", "peer_address", "peer_port", "reason"]),
          "fields")
    lst.close()


def monitor_ends_when_asked():
    lst = net.listener("127.0.0.1", 8080)
    for how in (signal.SIGINT, signal.SIGTERM):
        tool = watching("monitor --kind request_made")
        one = net.new_socket()
        one.connect(("127.0.0.1", 8080))
        # Written at once, though its standard output is no terminal.
        equal(masked(tool.stdout.readline()), ["N:N:N request_made N.N:N N.N:N id N"], "first line")
        tool.send_signal(how)
        equal(output(tool), "", "more lines")
        end(one, net.accept(lst))
    equal(output(watching("monitor --seconds 0.2 --kind lost")), "", "a monitor that sees nothing")
    lst.close()


def monitor_tells_what_it_lost():
    """300 refused connections while the reader is stopped: what it shows and what it says was lost are all 900 events."""
    tool = watching("--json monitor --kind state,reset-received", NOBODY)
    tool.send_signal(signal.SIGSTOP)
    net.until(lambda: net.sh(f"ps -o stat= -p {tool.pid}").startswith("T"), 5, "a stopped reader")
    for _ in range(300):
        with net.new_socket() as s:
            equal(s.connect_ex(("127.0.0.1", 9)), 111, "a connection to a port that nobody has")
    tool.send_signal(signal.SIGCONT)
    told = lost = 0
    while told + lost < 900:
        e = json.loads(tool.stdout.readline())
        lost += e.get("count", 0)
        told += e["kind"] != "lost"
    check(lost > 0, "nothing was lost")
    equal(told + lost, 900, "events")
    tool.send_signal(signal.SIGINT)
    output(tool)


def monitor_by_reason():
    tool = watching("--json monitor --reason refused_by_peer --kind closed --count 1")
    lst = net.listener("127.0.0.1", 8080)
    whole_life(lst)
    with net.new_socket() as s:
        equal(s.connect_ex(("127.0.0.1", 9)), 111, "a connection to a port that nobody has")
    equal(json.loads(output(tool))["reason"], "refused_by_peer", "reason")
    lst.close()


def records_as_text_and_json():
    lst = net.listener("127.0.0.1", 8080)
    ident = whole_life(lst)
    server = next(r for r in records_of("src 127.0.0.1") if r["local_port"] == 8080)
    equal((server["id"], server["ended_by"], server["reason"], server["passive"], server["bytes_received"]),
          (ident, "peer_fin", "normal_close", True, 5), "the server's record")
    check(server["closed_ns"] > server["opened_ns"] and server["in_state_ms"] and "handshake_us" in server, f"times: {server}")
    near = abs(sum(server["limited_us"].values()) - server["age_us"])
    check(near <= 1, f"the shares {server['limited_us']} do not add up to {server['age_us']}")
    text = run("records sport 8080")
    lines = [re.sub(r"\S+ N%$", "X", line) for line in masked(text)]
    equal(lines, ["Closed Local Peer ID Ended by Reason Age Handshake Acked Received Retrans Mostly",
                  "N:N:N N.N:N N.N:N N the peer's FIN normal_close N N N N N X"], text)
    has(run("records dport 8080"), "our FIN")
    equal(json.loads(run("--json records dst 10.0.0.0/8")), [], "records of nobody")
    lst.close()


def plot_of_a_transfer():
    lst, one, two = pair()
    ident = json.loads(run("--json sockets --listening no dport 8080"))["sockets"][0]["id"]
    stop = threading.Event()

    def transfer():
        while not stop.is_set():
            one.sendall(b"x" * 100000)

    def drain():
        while two.recv(1 << 20):
            pass

    threads = [threading.Thread(target=f) for f in (transfer, drain)]
    for t in threads:
        t.start()
    try:
        out = run(f"plot {ident} --seconds 1 -o /tmp/plot.svg --data /tmp/plot.csv")
        run(f"plot {ident} --seconds 0.3 --output /tmp/plot.png")
        points = json.loads(run(f"--json plot {ident} --seconds 0.3"))
    finally:
        stop.set()
        threads[0].join()
        one.shutdown(socket.SHUT_WR)
        threads[1].join()
    equal(masked(out), ["/tmp/plot.svg: N points of N seconds", "/tmp/plot.csv: N points of N seconds"], out)
    with open("/tmp/plot.svg", encoding="utf-8") as f:
        has(f.read(), "<svg", "cwnd", "in flight", "srtt", "127.0.0.1:8080")
    with open("/tmp/plot.png", "rb") as f:
        equal(f.read(8), b"\x89PNG\r\n\x1a\n", "a PNG")
    with open("/tmp/plot.csv", encoding="ascii") as f:
        rows = f.read().splitlines()
    equal(rows[0], "seconds,from,cwnd,ssthresh,inflight,srtt_us", "header")
    times = [float(row.split(",")[0]) for row in rows[1:]]
    check(len(times) > 2 and times == sorted(times) and times[0] == 0, f"times: {times}")
    equal(sorted(points[0]), sorted(set(points[0]) | {"time_ns", "from", "cwnd", "inflight", "srtt_us"}), "fields")
    check(all(p["cwnd"] > 0 for p in points), f"points: {points}")
    end(one, two, lst)


def plot_to_its_end():
    """It does not wait for a connection that is gone, and asks for gnuplot before it waits at all."""
    lst, one, two = pair()
    ident = json.loads(run("--json sockets --listening no dport 8080"))["sockets"][0]["id"]
    tool = watching(f"plot {ident} --seconds 10000 --data /tmp/short.csv")
    two.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    two.close()
    one.close()
    has(output(tool), "/tmp/short.csv: ")
    lst.close()
    lst, one, two = pair(8081)
    ident = json.loads(run("--json sockets --listening no dport 8081"))["sockets"][0]["id"]
    equal(run(f"plot {ident} --seconds 10000", 1, "PATH=/nonexistent"),
          "atcp: plot: gnuplot is not installed (apt install gnuplot-nox); --data FILE and --json do without\n", "without gnuplot")
    has(run(f"plot {ident} -o x.gif", 2), "ends neither in .svg nor in .png")
    equal(run(f"plot {ident} -o /nonexistent/x.svg --seconds 10000", 1), "atcp: plot: /nonexistent/x.svg could not be written\n", "folder")
    has(run("plot 4242424242", 1), "there is no socket with ID 4242424242")
    end(one, two, lst)


# ---------------------------------------------------------------- completion


def words_of_completion():
    """{command: words that may follow} as the script of bash has them."""
    return {path: words.split() for path, words in re.findall(r'^  "(.*)"\) words="(.*)" ;;$', run("completion bash"), flags=re.M)}


def completion_and_manual_know_everything():
    after = words_of_completion()
    commands = [w for w in after[""] if not w.startswith("-")]
    helped = re.findall(r"^  ([a-z]+) +\S", run("--help").partition("Subcommands:")[2], flags=re.M)
    equal(sorted(commands), sorted(helped), "commands of completion and of --help")
    with open(os.path.join(net.TOP, "docs/man/atcp.8"), encoding="utf-8") as f:
        manual = f.read().replace("\\-", "-")
    sections = re.findall(r"^\.SS (.*)$", manual, flags=re.M)
    described = {name for title in sections for name in title.split(", ")}
    equal(sorted(commands), sorted(described - {"completion"}), "commands of completion and of the manual")
    for path, words in after.items():
        for word in words:
            check(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.sub(r"\\f.", " ", manual)) or word in ("-h", "--help"),
                  f"`atcp {path}`: {word} is not in the manual")
    typed = "COMP_WORDS=(atcp monitor --kind dr); COMP_CWORD=3; _atcp; echo \"${COMPREPLY[@]}\""
    equal(net.sh(f"bash -c 'source <({ATCP} completion bash); {typed}'"), "drop\n", "what bash completes")
    has(run("completion zsh"), "#compdef atcp")


# ---------------------------------------------------------------- namespaces


def another_namespace():
    net.sh("ip netns add blue")
    try:
        run("--netns blue params set syncookies 2")
        equal(run("--netns blue params get syncookies"), "2\n", "there")
        equal(run("params get syncookies"), "1\n", "here")
        has(run("--netns blue params", 1, NOBODY), "it takes CAP_SYS_ADMIN")
        equal(run("--netns blu params", 1), "atcp: there is no network namespace 'blu'; did you mean blue?\n", "misspelt")
    finally:
        net.sh("ip netns del blue")
    equal(run("--netns blue params", 1), "atcp: there is no network namespace 'blue', nor any other (ip netns add blue)\n", "none")


# ---------------------------------------------------------------- small tables


def parameters_of_one_socket():
    lst, one, two = pair()
    sid = json.loads(run("--json sockets --listening no sport 8080"))["sockets"][0]["id"]
    equal(json.loads(run(f"--json params get keepalive_time --socket {sid}"))["source"], "default", "source")
    run(f"params set keepalive_time=77 --socket {sid}")
    row = json.loads(run(f"--json params get keepalive_time --socket {sid}"))
    equal((row["value"], row["source"]), ("77", "netlink"), "value and source")
    equal(run("params get keepalive_time"), "7200\n", "the namespace's")
    run(f"params reset keepalive_time --socket {sid}")
    equal(json.loads(run(f"--json params get keepalive_time --socket {sid}"))["value"], "7200", "after reset")
    has(run(f"params set port_range='1 2' --socket {sid}", 1), "port_range")
    end(one, two, lst)


def congestion_controls():
    rows = json.loads(run("--json cc"))
    equal([r["name"] for r in rows if r["default"]], ["reno"], "default")
    check({"reno", "bbr", "dctcp"} <= {r["name"] for r in rows}, f"names: {rows}")
    check("* reno everybody atcp" in masked(run("cc")), run("cc"))


def tables():
    lst, one, two = pair()
    found = json.loads(run("--json tables"))
    equal((found["sockets"], found["listeners"], found["ehash_entries"], found["mem_level"]), (3, 1, 2, 0), str(found))
    equal(masked(run("tables"))[0], "connections, requests, TIME-WAIT: N in N chains (grown N times, shrunk N)", "text")
    end(one, two, lst)


def counters_within_a_time():
    """Connections are made all the time until the tool has read twice."""
    lst, stop, opened = net.listener("127.0.0.1", 8081), threading.Event(), []

    def connect():
        while not stop.wait(0.02):
            one = net.new_socket()
            one.connect(("127.0.0.1", 8081))
            end(one, net.accept(lst))
            opened.append(1)

    thread = threading.Thread(target=connect)
    thread.start()
    try:
        rows = {r["name"]: r["value"] for r in json.loads(run("--json stats --delta 1.5"))}
    finally:
        stop.set()
        thread.join()
    for name in ("ActiveOpens", "PassiveOpens"):
        check(1 <= rows.get(name, 0) <= len(opened), f"{name} of {len(opened)}: {rows}")
    check("0" not in [line.split()[1] for line in run("stats --nonzero").splitlines()[1:]], "a counter of 0")
    lst.close()


def one_frame_of_top():
    lst, one, two = pair()
    with subprocess.Popen([ATCP, "--json", "top", "--seconds", "0.5", "dport", "8080"], stdout=subprocess.PIPE, text=True) as top:
        frames, rows = [], []

        def seen():
            """Between two frames of a slow machine there may be nothing."""
            one.send(b"x" * 5000)
            two.recv(5000, socket.MSG_WAITALL)
            frames.append(json.loads(top.stdout.readline()))
            rows.extend(frames[-1]["connections"])
            return any(c["per_second"]["bytes_acked"] > 0 for c in rows) and any(f["per_second"].get("OutSegs", 0) > 0 for f in frames)

        try:
            net.until(seen, 30, lambda: f"bytes and segments: {frames}")
        finally:
            top.terminate()
            top.wait()
    check(rows and all(c["peer_port"] == 8080 for c in rows), f"connections to port 8080: {frames}")
    text = masked(run("top --once --seconds 0.2"))
    equal(text[0], "atcp: N listeners, N sockets (N established), N half-open, N TIME-WAIT", "the first line")
    check("LISTENER QUEUE BACKLOG HALF-OPEN SYN/s ACCEPT/s REFUSED/s COOKIE/s PROGRAM" in text, f"the listeners: {text}")
    has(run("top", 2), "--once", "--json")
    end(one, two, lst)


# --------------------------------------------------------------- run, doctor


def parameters_of_a_program():
    show = ("import socket, subprocess; s = socket.socket(); s.bind(('127.0.0.1', 8090)); s.listen(); cookie = int.from_bytes(s.getsockopt(1, 57, 8), 'little'); "
            f"print(subprocess.run(['{ATCP}', '--json', 'params', 'list', 'sack', 'synack_retries', '--socket', str(cookie)], "
            "capture_output=True, text=True).stdout)")
    rows = json.loads(run(f"run --strict --set synack_retries=2 --set sack=0 -- python3 -c \"{show}\""))
    equal([(r["name"], r["value"], r["source"]) for r in rows], [("sack", "0", "setsockopt"), ("synack_retries", "2", "setsockopt")],
          "the program's socket")
    has(run("run --set wire=atcp -- true", 1), "wire belongs to the namespace", "atcp params set wire=atcp")
    has(run("run --set sakc=0 -- true", 1), "did you mean sack?")
    equal(run("run -- sh -c 'exit 7'", 7), "", "the program's status")
    has(run("run -- /nonexistent/program", 127), "No such file")
    has(run("run -- /etc/passwd", 126), "Permission denied")
    has(run("run", 2), "a command is missing")
    run("run --wire atcp -- true")
    equal(run("params get wire"), "atcp\n", "wire of the namespace")
    run("run --wire atcp -- true", prefix=NOBODY)  # it is so already: nothing to set
    has(run("run --wire tcp -- true", 1, NOBODY), "CAP_NET_ADMIN")
    has(run("run --wire udp -- true", 2), "udp")


def doctor_says_what_is_here():
    rows = {r["about"]: r for r in json.loads(run("--json doctor"))}
    equal((rows["module"]["grade"], rows["netlink"]["grade"], rows["preload"]["grade"]), ("ok", "ok", "ok"), str(rows))
    has(run("doctor"), "loaded", "family atcp, version", "libatcp-preload.so")


def unloaded_and_loaded():
    # An installed module would come back by itself as soon as somebody asks for its family.
    with open("/proc/sys/kernel/modprobe", "w", encoding="ascii") as f:
        f.write("\n")
    lst = net.listener("127.0.0.1", 8080)
    has(run("unload", 1), "in use", "atcp sockets")
    lst.close()
    path = os.environ["ATCP_KO"]
    net.until(lambda: not json.loads(run("--json listeners")), 2, "no listener")
    # A socket that was closed lives until the readers of its table are gone; one of an earlier scenario, whose peer has vanished, tries
    # for 102 seconds to say its FIN.
    net.until(lambda: subprocess.run([ATCP, "unload"], stderr=subprocess.DEVNULL, check=False).returncode == 0, 130, "unload", step=0.2)
    equal(run("params", 1), "atcp: the kernel has no atcp netlink family; is the module loaded? (atcp load; atcp doctor tells more)\n",
          "without module")
    answers = json.loads(run("--json doctor", 1))
    equal([a["grade"] for a in answers if a["about"] == "module"], ["missing"], str(answers))
    has(run("load /etc/passwd", 1), "is not the atcp module")
    has(run(f"load {path} syncookis=2", 1), "did you mean syncookies?", "so the module is not loaded")
    check(not os.path.exists("/sys/module/atcp"), "half of a load stayed")
    run(f"load {path} syncookies=2 ehash_entries=2048")
    equal(run("params get syncookies"), "2\n", "syncookies")
    equal(json.loads(run("--json tables"))["ehash_slots"], 2048, "buckets")
    has(run("load", 1), "is loaded already")
    run("params reset")


# -------------------------------------------------------------------- errors


def wrong_words():
    equal(run("sockets state establishd", 2), "atcp: filter: there is no state 'establishd'; did you mean established?\n", "state")
    equal(run("sockets sprot 80", 2), "atcp: filter: there is no condition 'sprot'; did you mean sport?\n", "condition")
    equal(run("sockets dst nowhere.example", 2), "atcp: filter: 'nowhere.example' is not an address (names are not looked up)\n", "name")
    has(run("params set syncookis 1", 1), "did you mean syncookies?")
    has(run("params set syncookies 7", 1), "cannot set syncookies to '7'", "0..2")
    equal(run("monitor --kind drp", 2), "atcp: there is no event 'drp'; did you mean drop?\n", "event")
    equal(run("monitor --reason chcksum", 2), "atcp: there is no reason 'chcksum'; did you mean checksum?\n", "reason")
    has(run("params set syncookies 2", 1, NOBODY), "CAP_NET_ADMIN")
    equal(run("moniter", 2), "atcp: there is no command 'moniter'; did you mean monitor?\n", "command")
    has(run("--help"), "explain", "doctor", "Exit status")


# ------------------------------------------------------------------- explain


def nothing_is_wrong():
    lst, one, two = pair()
    text = run("explain --seconds 0.5 sport 8080")
    equal(masked(text), ["nothing wrong found (listeners: N, sockets: N, looked for N s)"], text)
    end(one, two, lst)


def a_server_that_accepts_too_slowly():
    lst = net.listener("127.0.0.1", 8080, backlog=2)
    net.set_param("syncookies", 0)
    stop, kept, tried = threading.Event(), [], []

    def serve():
        while not stop.wait(0.5):
            kept.append(net.accept(lst))

    def clients():
        while not stop.wait(0.02):
            s = net.new_socket(blocking=False)
            s.connect_ex(("127.0.0.1", 8080))
            tried.append(s)
            if len(tried) > 200:  # for four seconds each of them asks again
                tried.pop(0).close()

    threads = [threading.Thread(target=f) for f in (serve, clients)]
    for t in threads:
        t.start()
    told = []

    def numbers_are_told():
        """Two seconds of a busy machine may be too few for the numbers, not for the verdict."""
        told[:] = [json.loads(run("--json explain --seconds 2"))["findings"]]
        worst = told[0][0] if told[0] else {}
        if (worst.get("severity"), worst.get("rule")) != ("trouble", "accept_queue_full"):
            return False
        n = worst["numbers"]
        equal((n["port"], n["backlog"]), (8080, 2), "port and backlog")
        return n["syns_dropped"] > 10 and 2 <= n["accepted"] < n["syns_dropped"] / 4

    def text_is_told():
        """At the moment between an accept() and the next handshake the queue has room, and the text says "keeps getting"."""
        told[:] = [run("explain --seconds 2 sport 8080")]
        return all(words in told[0] for words in (
            f"trouble: the accept queue of 127.0.0.1:8080 ({comm()}[{os.getpid()}]) is full (3 of 3)", "SYNs", "do: let the program accept"))

    try:
        net.until(lambda: net.atcp_json("listeners")[0]["overflow_syn"] > 10, 30, "a queue without room")
        net.until(numbers_are_told, 60, lambda: f"numbers: {told}")
        net.until(text_is_told, 60, lambda: f"a full queue: {told}")
    finally:
        stop.set()
        for t in threads:
            t.join()
    end(*kept, *tried, lst)


def close_wait_in_a_program():
    lst = net.listener("127.0.0.1", 8080)
    pairs = []
    for _ in range(5):
        one = net.new_socket()
        one.connect(("127.0.0.1", 8080))
        pairs.append((one, net.accept(lst)))
    for one, _ in pairs:
        one.close()
    net.until(lambda: sum(c["state"] == "CLOSE_WAIT" for c in net.connections()) == 5, 2, "five in CLOSE_WAIT")
    found = [f for f in json.loads(run("--json explain --seconds 0.5"))["findings"] if f["rule"] == "close_wait"]
    equal(len(found), 1, "findings")
    has(found[0]["text"], f"5 connections of {comm()}[{os.getpid()}] are in CLOSE-WAIT")
    end(*(two for _, two in pairs), lst)


if __name__ == "__main__":
    net.main(sockets_as_text, sockets_are_filtered_by_the_kernel, one_socket_in_full, killed_by_a_filter, monitor_as_text,
             monitor_as_json, monitor_ends_when_asked, monitor_tells_what_it_lost, monitor_by_reason, records_as_text_and_json,
             plot_of_a_transfer, plot_to_its_end, completion_and_manual_know_everything, another_namespace, parameters_of_one_socket,
             congestion_controls, tables, counters_within_a_time, one_frame_of_top, parameters_of_a_program, doctor_says_what_is_here,
             wrong_words, nothing_is_wrong, a_server_that_accepts_too_slowly, close_wait_in_a_program, unloaded_and_loaded)
