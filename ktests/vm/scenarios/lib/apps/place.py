# SPDX-License-Identifier: GPL-2.0
"""Two hosts with programs of Debian's on them: the server in `a`, the client in
`b`, one of the two hosts on atcp through the preload library (or `atcp attach`),
the other on the kernel's TCP. What the programs do is in the other files of this folder; here is
how they are started, how long they are waited for, and the proof that each
host's connections were those of its stack."""

import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from .. import net
from ..flows import ADDR, TwoHosts

SERVER, CLIENT = "a", "b"
ADDR6 = {"a": "fd00:10:1::a", "b": "fd00:10:1::b"}
NETEM = "delay 5ms loss 1% limit 20000"
# The kernel's TCP counts a passive open for each child that it makes of a request. Now and then two processors make one at the same time, of
# the third ACK and of the data behind it, and one of the two is thrown away: between two hosts on the kernel's TCP (6.1, netem) 5572 were
# counted when accept() had returned 5569.
COUNTED_TWICE = 4
STRICT = {"ATCP_STRICT": "1"}  # no quiet return to the kernel's TCP
PRELOAD, ATTACH = "preload", "attach"  # how programs come to be on atcp
ATCP = f"{net.TOOLS}/atcp"
CGROUP = "/sys/fs/cgroup/atcp-apps"
READY_S, STOP_S = 60, 20
LISTEN = "0A"  # state in /proc/net/tcp


class Place(TwoHosts):
    """with Place("a") as place: the programs of host `a` run on atcp. work: a folder that every user may read. through: PRELOAD,
    or ATTACH with static programs, which no library reaches: theirs is a cgroup, CGROUP."""

    def __init__(self, on_atcp, netem=False, family=4, through=PRELOAD):
        super().__init__(netem=NETEM if netem else "")
        self.on_atcp, self.family, self.netem_on, self.through = on_atcp, family, netem, through
        self.running, self.logs = [], []

    def __enter__(self):
        super().__enter__()
        try:
            if self.family == 6:
                net.sh("".join(f"ip -n {self.tag}{n} addr add {ADDR6[n]}/64 dev {self.dev[n]} nodad\n" for n in ADDR6))
            self.work = pathlib.Path(tempfile.mkdtemp(prefix="atcp-apps-"))
            self.work.chmod(0o755)
            if net.IS_ATCP:
                # The repository may be where only its owner may read.
                self.library = shutil.copy(f"{net.TOOLS}/libatcp-preload.so", self.work)
                net.set_param("closing_records", 4096, self.prefix(self.on_atcp))
                if self.through == ATTACH:
                    os.mkdir(CGROUP)
                    net.sh(f"{ATCP} attach --strict {CGROUP}")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, *exc):
        self.stop()
        if kind:
            for log in self.logs:
                print(f"      {log.name}: {log.read_text(errors='replace')[-1200:]}")
        shutil.rmtree(self.work, ignore_errors=True)
        try:
            if os.path.isdir(CGROUP):
                net.sh(f"{ATCP} detach --all", check=False)
                patiently("the cgroup is empty", lambda: os.rmdir(CGROUP))
        finally:
            super().__exit__(kind, *exc)

    def enter(self, name):
        """The words in front of a command: as `ip netns exec`, without its new mounts, which cost more than what is run."""
        return ["nsenter", f"--net=/run/netns/{self.tag}{name}"]

    def enter_stack(self, name):
        """The same for the programs that are tried: where they become atcp's through a cgroup, into that as well."""
        inside = net.IS_ATCP and self.through == ATTACH and name == self.on_atcp
        return [*self.enter(name), *(["sh", "-c", f'echo $$ >{CGROUP}/cgroup.procs && exec "$@"', "sh"] if inside else [])]

    def prefix(self, name):
        return " ".join(self.enter(name)) + " "

    # ------------------------------------------------------------ what programs are told

    def addr(self, name):
        return (ADDR6 if self.family == 6 else ADDR)[name]

    def host(self, name):
        """The address as it stands before ":PORT"."""
        return f"[{self.addr(name)}]" if self.family == 6 else self.addr(name)

    def environment(self, name):
        env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
        if net.IS_ATCP and name == self.on_atcp and self.through == PRELOAD:
            env |= STRICT | {"LD_PRELOAD": str(self.library)}
        return env

    def file(self, name, text, mode=0o644):
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def random_file(self, name, size):
        """(path, its sha256)"""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = os.urandom(size)
        path.write_bytes(data)
        return path, hashlib.sha256(data).hexdigest()

    # ------------------------------------------------------------------------- programs

    def start(self, command, port, name=SERVER, user=None, env=None):
        """A server that listens on `port` when this returns; stopped when the place is left. user: who runs it, else root;
        env: all of its environment, else that of the host's stack."""
        log = self.work / f"{pathlib.Path(command[0]).name}-{port}.log"
        self.logs.append(log)
        argv = self.enter_stack(name)
        argv += ["env", "-i", *[f"{key}={value}" for key, value in env.items()]] if env is not None else []
        argv += ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        with open(log, "wb") as out:
            process = subprocess.Popen(argv + [*map(str, command)], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                       env=self.environment(name))
        self.running.append(process)

        def ready():
            net.check(process.poll() is None, f"{command[0]} ended with {process.returncode}")
            return port in self.listening(process.pid, name)
        net.until(ready, READY_S, f"{command[0]} listens on {port}", step=0.3)
        return process

    def listening(self, pid, name):
        """Ports of listeners in the namespace of a process."""
        if net.IS_ATCP and name == self.on_atcp:
            return {row["local_port"] for row in net.atcp_json("listeners", self.prefix(name))}
        found = set()
        for table in ("tcp", "tcp6"):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/net/{table}", encoding="ascii") as f:
                rows = [line.split() for line in list(f)[1:]]
                found |= {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == LISTEN}
        return found

    def run(self, command, name=CLIENT, timeout=120, status=0, stdin=None):  # pylint: disable=arguments-renamed
        """What a program prints, its errors included; it must end with `status`."""
        try:
            done = subprocess.run([*self.enter_stack(name), *map(str, command)], stdin=stdin or subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment(name),
                                  timeout=timeout * net.SLOW, check=False)
        except subprocess.TimeoutExpired as e:
            raise net.Failed(f"{command[0]} did not end within {timeout} s: {(e.stdout or b'')[-1500:].decode(errors='replace')}") from None
        out = done.stdout.decode(errors="replace")
        net.equal(done.returncode, status, f"status of {command[0]}, which printed: {out[-1500:]}")
        return out

    def stop(self):
        """Ends the servers, the last one first."""
        for process in reversed(self.running):
            process.terminate()
            try:
                process.wait(STOP_S * net.SLOW)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running = []

    # ---------------------------------------------------------------------------- proof

    def kernel_counts(self, name):
        """The Tcp line of /proc/net/snmp."""
        with self.inside(name), open("/proc/thread-self/net/snmp", encoding="ascii") as f:
            names, values = [line.split()[1:] for line in f if line.startswith("Tcp:")]
        return dict(zip(names, map(int, values)))

    def prove(self, least, bytes_least, flows=((CLIENT, SERVER),)):
        """Each host's connections were those of its stack: at least so many, with so many bytes in both directions together. What
        one host of a flow (client, server) opened the other has accepted, unless it was lost."""
        kernel = {n: self.kernel_counts(n) for n in (SERVER, CLIENT)}
        stack = dict(kernel)
        if net.IS_ATCP:
            ours = {n: net.counts("stats", self.prefix(n)) for n in (SERVER, CLIENT)}
            theirs = CLIENT if self.on_atcp == SERVER else SERVER
            stack[self.on_atcp] = ours[self.on_atcp]
            for what in ("ActiveOpens", "PassiveOpens"):
                net.equal(kernel[self.on_atcp][what], 0, f"{what} of the kernel's TCP on the host that is on atcp")
                net.equal(ours[theirs][what], 0, f"{what} of atcp on the host that is on the kernel's TCP")
        for client, server in flows:
            opened = stack[client]["ActiveOpens"] - stack[client]["AttemptFails"]
            accepted = stack[server]["PassiveOpens"]
            # A program may close a socket whose SYN was lost (redis-benchmark does): opened, but neither failed nor accepted.
            least_accepted = 0 if self.netem_on else opened
            # On one host a failed attempt may be the server's: of a child that the end of its listener met before it was established.
            most_accepted = stack[client]["ActiveOpens"] if client == server else opened
            most_accepted += 0 if net.IS_ATCP and server == self.on_atcp else COUNTED_TWICE
            net.check(least_accepted <= accepted <= most_accepted, f"{server} accepted {accepted} connections of {client}, which opened "
                      f"{stack[client]['ActiveOpens']}, {stack[client]['AttemptFails']} of them in vain")
            net.check(accepted >= least, f"only {accepted} connections, not {least}")
        if net.IS_ATCP:
            self._records_agree(least, bytes_least, flows)

    def _records_agree(self, least, bytes_least, flows):
        """The closing records tell of the same connections. Called when the programs have ended."""
        prefix = self.prefix(self.on_atcp)

        def ended():
            rows = net.atcp_json("records", prefix)
            return rows if len(rows) >= least else None
        rows = net.until(ended, 10, f"{least} closing records", step=0.2)
        if all(client != server for client, server in flows):
            peer = self.addr(CLIENT if self.on_atcp == SERVER else SERVER)
            net.equal({row["peer_address"] for row in rows}, {peer}, "peers of the closing records")
        carried = sum(row["bytes_acked"] + row["bytes_received"] for row in rows)
        net.check(carried >= bytes_least, f"atcp carried only {carried} bytes, not {bytes_least}")


def sha256(path):
    """Of a file."""
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def patiently(what, call, seconds=20):
    """Until call() no longer fails: for what the other program does a little later."""
    end = time.monotonic() + seconds * net.SLOW
    while True:
        try:
            return call()
        except (net.Failed, OSError) as e:
            if time.monotonic() > end:
                raise net.Failed(f"{what}: {e}") from None
            time.sleep(0.1)
