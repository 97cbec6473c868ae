"""One virtual node: a QEMU, its console, its agent."""

import os
import re
import shlex
import signal as signals
import subprocess
import threading
import time
import uuid

from . import config, process, verdict
from .agent import Agent
from .errors import CommandFailed, HarnessError, NodeGone, NodePanicked, TimedOut
from .qmp import Qmp

PANIC = re.compile(r"Kernel panic - not syncing")
BOOT_LIMIT = 120
# For the user of another node's uuid, see Node.uuid.
UUID_SPACE = uuid.UUID("8a3e4f0e-6d5c-4c9a-9d57-5f2d3a1b7c00")


class Console:
    """The serial line: lines with their times; waiting for one."""

    def __init__(self, name):
        self.name = name
        self.lines = []
        self.panicked = None
        self._partial = b""
        self._changed = threading.Condition()
        self._gone = False

    def follow(self, connection, on_panic):
        with self._changed:
            self._gone = False
            self.panicked = None
        threading.Thread(target=self._read, args=(connection, on_panic), daemon=True).start()

    def _read(self, connection, on_panic):
        try:
            while data := connection.recv(65536):
                self._add(data, on_panic)
        except OSError:
            pass
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    def _add(self, data, on_panic):
        panic = None
        with self._changed:
            *lines, self._partial = (self._partial + data).split(b"\n")
            for line in lines:
                text = line.decode("utf-8", "replace").rstrip("\r")
                self.lines.append((time.monotonic(), text))
                if PANIC.search(text):
                    self.panicked = panic = text
            self._changed.notify_all()
        if panic:
            on_panic(panic)

    def mark(self):
        """A place in the log, for wait(since=) and search(since=)."""
        return len(self.lines)

    def search(self, pattern, since=0):
        for _, line in self.lines[since:]:
            if match := re.search(pattern, line):
                return match
        return None

    def count(self, pattern, since=0):
        return sum(1 for _, line in self.lines[since:] if re.search(pattern, line))

    def wait(self, pattern, timeout=60, since=0):
        end = time.monotonic() + config.limit(timeout)
        at = since
        with self._changed:
            while True:
                for _, line in self.lines[at:]:
                    if match := re.search(pattern, line):
                        return match
                at = len(self.lines)
                left = end - time.monotonic()
                if left <= 0:
                    raise TimedOut(f"{self.name}: no console line {pattern!r} within "
                                   f"{config.limit(timeout):g} s")
                if self._gone:
                    raise NodeGone(f"{self.name}: gone before a console line {pattern!r}")
                self._changed.wait(left)

    def tail(self, count=30):
        return "\n".join(line for _, line in self.lines[-count:])


def address_of(ident):
    """Of node @ident in the network of the switch."""
    return f"10.77.0.{ident}"


class Node:
    """
    Node @id of @cluster. start() boots it; it may be killed and started again,
    then as the same machine (uuid), as a reboot does. What it boots is @kernel, which
    may be changed between two lives.
    """

    def __init__(self, cluster, ident, *, memory=None, append=(), cpus=1, kernel=None):
        self.cluster = cluster
        self.id = ident
        self.name = f"node{ident}"
        self.memory = int((memory or (1024 if cluster.image == "root" else 256)) * config.MEMORY)
        self.append = list(append)
        self.kernel = kernel or cluster.kernel
        self.cpus = cpus
        self.uuid = uuid.uuid5(UUID_SPACE, f"{cluster.name}-{ident}")
        self.address = address_of(ident)
        self.folder = cluster.folder / self.name
        self.folder.mkdir(exist_ok=True)
        self.console = Console(self.name)
        self.agent = None
        self.terminal = None
        self._qmp = None
        self._process = None
        self._sockets = []
        self._lives = 0
        self._frozen = False
        self._events = None
        self._record = open(self.folder / "events", "ab")

    # --- life ---

    def command_line(self):
        cluster = self.cluster
        words = ["console=ttyS0", "holon.home=9p",
                 # What an emulated machine on a busy host must not be blamed for.
                 "watchdog_thresh=60", "rcupdate.rcu_cpu_stall_timeout=120",
                 "random.trust_cpu=1"]
        if config.tsc_khz():
            words.append(f"tsc_early_khz={config.tsc_khz()}")
        if not cluster.bare:
            words += [f"holon.node={self.id}", f"holon.cluster={cluster.name}",
                      f"holon.addr={self.address}/24", "holon.if=eth0"]
        if cluster.expect:
            words.append(f"holon.expect={cluster.expect}")
        if cluster.fd_ms:
            words.append(f"holon.fd_ms={cluster.fd_ms}")
        if cluster.lease_ms:
            words.append(f"holon.lease_ms={cluster.lease_ms}")
        if cluster.insecure:
            words.append("holon.insecure=1")
        if cluster.image == "root":
            words += ["root=/dev/vda", "ro", "rootfstype=squashfs", "init=/usr/lib/holon/init"]
        return " ".join(words + cluster.append + self.append)

    def _devices(self):
        """What it boots from."""
        argv = ["-kernel", str(config.kernel(self.kernel)), "-append", self.command_line()]
        image = config.image(self.cluster.image)
        if self.cluster.image == "root":
            return argv + ["-drive", f"file={image},format=raw,if=none,id=root,readonly=on",
                           "-device", "virtio-blk-pci,drive=root"]
        return argv + ["-initrd", str(image)]

    def _qemu(self, sockets):
        cluster = self.cluster
        net = cluster.sockets
        argv = [config.QEMU, "-nodefaults", "-no-user-config", "-display", "none",
                "-name", f"holon-{cluster.name}-{self.name}", "-machine", "q35",
                "-accel", config.ACCEL, "-cpu", "host" if config.ACCEL == "kvm" else "max",
                "-smp", str(self.cpus), "-m", str(self.memory), "-uuid", str(self.uuid),
                "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
                "-netdev", f"dgram,id=net,local.type=unix,local.path={net}/node{self.id},"
                           f"remote.type=unix,remote.path={net}/sw{self.id}",
                "-device", f"virtio-net-pci,netdev=net,mac=52:54:00:77:00:{self.id:02x}",
                "-fsdev", f"local,id=home,path={cluster.home},security_model=mapped-xattr,"
                          "multidevs=remap",
                "-device", "virtio-9p-pci,fsdev=home,mount_tag=home"]
        for name in ("console", "qmp", "agent", "terminal"):
            chardev = f"socket,id={name},path={sockets[name]},server=off"
            if name == "console":
                chardev += f",logfile={self.folder}/console,logappend=on"
            argv += ["-chardev", chardev]
        argv += ["-serial", "chardev:console", "-mon", "chardev=qmp,mode=control",
                 "-device", "virtserialport,chardev=agent,name=holon.agent",
                 "-device", "virtserialport,chardev=terminal,name=holon.console"]
        return argv + self._devices() + cluster.qemu

    def start(self):
        """Begin to boot; wait_boot() waits for the end of that."""
        if self.running:
            raise HarnessError(f"{self.name} runs already")
        self._lives += 1
        paths = {name: f"{self.cluster.sockets}/{self.id}.{name}"
                 for name in ("console", "qmp", "agent", "terminal")}
        listeners = {name: process.listen(path) for name, path in paths.items()}
        # The last life's end of the wire.
        wire = f"{self.cluster.sockets}/node{self.id}"
        if os.path.exists(wire):
            os.unlink(wire)
        argv = self._qemu(paths)
        with open(self.folder / "qemu.cmd", "w", encoding="utf-8") as file:
            file.write(shlex.join(argv) + "\n")
        with open(self.folder / "qemu.log", "ab") as log:
            self._process = process.start(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.cluster.history.add("start", node=self.id, life=self._lives, pid=self._process.pid)
        self._frozen = False
        try:
            sockets = {name: process.accept(listener, self._process, self.name)
                       for name, listener in listeners.items()}
        except HarnessError as error:
            raise HarnessError(f"{error}; see {self.folder}/qemu.log") from None
        finally:
            for listener in listeners.values():
                listener.close()
        self._sockets = list(sockets.values())
        self.agent = Agent(self.name, sockets["agent"], self._record_line)
        self.terminal = Agent(f"{self.name} console", sockets["terminal"])
        self.console.follow(sockets["console"], self._panicked)
        self._qmp = Qmp(sockets["qmp"], self._qmp_event)
        self._events = None
        return self

    def _record_line(self, line):
        if not self._record.closed:
            self._record.write(line)
            self._record.flush()

    def _qmp_event(self, name, data):
        self.cluster.history.add("qemu", node=self.id, event=name, data=data)

    def _panicked(self, line):
        self.cluster.history.add("panic", node=self.id, line=line)
        error = NodePanicked(f"{self.name}: {line}")
        self.agent.fail(error)
        self.terminal.fail(error)

    boot_limit = BOOT_LIMIT

    def wait_boot(self, hellos=(1, 1), timeout=None):
        """Wait until the agents of both ports have said hello so often."""
        try:
            self.agent.wait_hello(hellos[0], timeout or self.boot_limit)
            self.terminal.wait_hello(hellos[1], timeout or self.boot_limit)
        except (TimedOut, NodeGone) as error:
            raise type(error)(f"{self.name} did not boot: {error}; the console ends with\n"
                              f"{self.console.tail()}") from None
        self.cluster.history.add("up", node=self.id)
        return self

    @property
    def running(self):
        return self._process is not None and self._process.poll() is None

    @property
    def healthy(self):
        return self.running and not self._frozen and not self.console.panicked

    @property
    def pid(self):
        return self._process.pid

    def kill(self):
        """Pull the plug."""
        self.cluster.history.add("kill", node=self.id)
        self._end(signals.SIGKILL)

    def _end(self, signal):
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal)
        self._process.wait()
        error = NodeGone(f"{self.name} was stopped")
        for agent in (self.agent, self.terminal):
            if agent:
                agent.fail(error)
        for sock in self._sockets:
            try:
                sock.shutdown(2)
            except OSError:
                pass
            sock.close()
        self._sockets = []

    def reset(self):
        """The reset button: the same QEMU, a new boot. Returns when the agent is back."""
        self.cluster.history.add("reset", node=self.id)
        hellos = (self.agent.hellos + 1, self.terminal.hellos + 1)
        self._qmp.execute("system_reset")
        return self.wait_boot(hellos)

    def reboot(self):
        """kill() and boot again, faster than others may notice."""
        self.kill()
        self.start()
        return self.wait_boot()

    def freeze(self):
        """Stop the machine, its clock too: what tests time must use cuts instead."""
        self.cluster.history.add("freeze", node=self.id)
        self._qmp.execute("stop")
        self._frozen = True

    def thaw(self):
        self.cluster.history.add("thaw", node=self.id)
        self._qmp.execute("cont")
        self._frozen = False

    def close(self):
        self._end(signals.SIGKILL)
        self._record.close()

    # --- commands ---

    def spawn(self, command, **options):
        """Start @command: a list, or a string for sh -c. Options as of Agent.spawn()."""
        argv = ["sh", "-c", command] if isinstance(command, str) else [str(a) for a in command]
        self.cluster.history.add("spawn", node=self.id, argv=argv)
        return self.agent.spawn(argv, **options)

    def run(self, command, *, check=True, timeout=120, **options):
        """Run @command to its end; its Result. With @check any end but status 0 raises."""
        task = self.spawn(command, timeout=timeout, **options)
        # The agent ends it; if it cannot, the node is stuck.
        result = task.wait(timeout + 60)
        self.cluster.history.add("ran", node=self.id, argv=task.argv, end=result.describe())
        if check and (result.status != 0 or result.timed_out):
            raise CommandFailed(self.id, command, result)
        return result

    def out(self, command, **options):
        """The standard output of @command, without the last newline."""
        return self.run(command, **options).out.rstrip("\n")

    def read(self, path):
        return self.agent.read(path).decode("utf-8", "replace")

    def write(self, path, data, **options):
        self.agent.write(path, data, **options)

    def leaks(self):
        """What kmemleak finds, "" when nothing; the node must be booted with kmemleak=on."""
        return verdict.leaks(self)

    # --- events ---

    def _monitor(self):
        if self._events is None:
            self._events = self.spawn(["holon", "-j", "monitor"])
        return self._events

    def wait_event(self, pattern, timeout=60):
        """
        Wait for a line of "holon monitor" that has @pattern. The monitor runs from
        the first use of this function on: call watch_events() before what is to be seen.
        """
        return self._monitor().wait_output(pattern, timeout)

    def watch_events(self):
        return self._monitor().wait_started()

    def wait_console(self, pattern, timeout=60, since=0):
        return self.console.wait(pattern, timeout, since)

    def __repr__(self):
        return f"<{self.name}>"
