"""A cluster of virtual nodes."""

import os
import random
import shutil
import tempfile
import time
from pathlib import Path

from . import config, verdict
from .errors import HarnessError, TimedOut
from .history import History
from .node import Node
from .switch import Switch

PORTS = 16


class Cluster:
    """
    @nodes nodes, booted by start(). @folder receives consoles, history and pcap;
    @image is "initramfs" or "root", @kernel "debug" or "product"; @append are further
    words of the kernel command line, @qemu further arguments of QEMU. With @expect None
    the nodes form one cluster of all; with 0 they stay alone.
    @fd_ms is the silence after which a node is suspected: emulated nodes on a busy host are slow.
    Leases are three quarters of it, unless @lease_ms says less.
    @bare nodes are told nothing at boot of who and where they are.
    """

    node_type = Node

    def __init__(self, nodes=2, *, folder, name="test", image="initramfs", kernel="debug",
                 memory=None, cpus=1, append=(), qemu=(), expect=None, insecure=False,
                 fd_ms=6000, lease_ms=None, seed=None, home=None, bare=False):
        self.folder = Path(folder)
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        self.name = name
        self.image = image
        self.kernel = kernel
        self.append = list(append)
        self.qemu = list(qemu)
        self.expect = (0 if bare else nodes) if expect is None else expect
        self.insecure = insecure
        self.bare = bare
        self.fd_ms = int(config.limit(fd_ms))
        self.lease_ms = int(config.limit(lease_ms)) if lease_ms else self.fd_ms * 3 // 4
        self._node_options = {"memory": memory, "cpus": cpus}
        self.home = Path(home) if home else self.folder / "home"
        self.home.mkdir(exist_ok=True)
        for path in (*self.needs(), config.SWITCH, config.TSC):
            if not path.exists():
                raise HarnessError(f"{path} is not there: run make for it first")
        # Names of Unix sockets are short.
        self.sockets = tempfile.mkdtemp(prefix="holon-")
        self.history = History(self.folder / "history.jsonl")
        self.seed = random.randrange(1 << 32) if seed is None else seed
        self.switch = None
        self.allowed = []
        self.allow_taint = False
        self._marks = {}
        self._dead = set()
        self._closed = False
        self.nodes = {}
        try:
            self.switch = Switch(self.sockets, PORTS, self.seed, self.history,
                                 self.folder / "net.pcap")
            for ident in range(1, nodes + 1):
                self._new_node(ident)
        except BaseException:
            self.close()
            raise

    def needs(self):
        """The files that its nodes boot from."""
        return [config.kernel(self.kernel), config.image(self.image)]

    def _new_node(self, ident, **options):
        node = self.node_type(self, ident, **{**self._node_options, **options})
        self.nodes[ident] = node
        return node

    def start(self, wait=True):
        """Boot all nodes at once."""
        try:
            for node in self.nodes.values():
                node.start()
            if wait:
                self.wait_boot()
        except BaseException:
            self.close()
            raise
        return self

    def wait_boot(self):
        for node in self.nodes.values():
            node.wait_boot()

    def node(self, ident):
        return self.nodes[ident]

    def __getitem__(self, ident):
        return self.nodes[ident]

    def __iter__(self):
        return iter(self.nodes.values())

    def add_node(self, ident=None, **options):
        """One more node, booted."""
        ident = ident or max(self.nodes) + 1
        return self._new_node(ident, **options).start().wait_boot()

    # --- faults ---

    def kill(self, ident):
        """Kill a node; the verdict does not ask for it until it is started again."""
        self._dead.add(ident)
        self.nodes[ident].kill()

    def revive(self, ident, wait=True):
        node = self.nodes[ident]
        node.start()
        self._dead.discard(ident)
        return node.wait_boot() if wait else node

    def cut(self, a, b, both=True):
        self.switch.cut(a, b, both)

    def join(self, a, b, both=True):
        self.switch.join(a, b, both)

    def partition(self, *groups):
        """cluster.partition({1}, {2, 3}): nothing passes between the groups."""
        for i, group in enumerate(groups):
            for other in groups[i + 1:]:
                for a in group:
                    for b in other:
                        self.switch.cut(a, b)

    def heal(self):
        self.switch.heal()

    # --- waiting ---

    def wait_until(self, condition, what, timeout=60):
        """Ask @condition() again and again until it returns something true; that."""
        end = time.monotonic() + config.limit(timeout)
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise TimedOut(f"not within {config.limit(timeout):g} s: {what}; last {value!r}")
            time.sleep(0.1)

    def view(self, ident):
        """(epoch, members) of the view node @ident works in; (0, set()) while it is in none."""
        shown = self.nodes[ident].out("cd /sys/kernel/holon && cat state epoch members steady")
        state, epoch, members, steady = shown.split("\n")
        if state != "member" or steady != "1":
            return 0, set()
        ranges = (part.partition("-") for part in members.split(","))
        return int(epoch), {ident for first, _, last in ranges
                            for ident in range(int(first), int(last or first) + 1)}

    def wait_view(self, members, nodes=None, timeout=120):
        """Wait until every node of @nodes (default: @members) shows just @members; the epoch."""
        def agreed():
            views = {ident: self.view(ident) for ident in nodes or members}
            last.update(views)
            epochs = {epoch for epoch, _ in views.values()}
            if len(epochs) == 1 and all(shown == set(members) for _, shown in views.values()):
                return epochs.pop()
            return 0

        last = {}
        try:
            return self.wait_until(agreed, f"view of {set(members)}", timeout)
        except TimedOut as error:
            raise TimedOut(f"{error}; the nodes show {last}") from None

    # --- verdict ---

    def allow(self, pattern):
        """A console line that this test provokes."""
        self.allowed.append(pattern)

    def mark(self, what):
        """From here on a new test answers for what the consoles say."""
        self.history.add("test", name=what)
        self._marks = {node.id: node.console.mark() for node in self}
        self.allowed = []
        self.allow_taint = False

    def verdict(self):
        verdict.check(list(self), self._marks, self.allowed, self.allow_taint, self._dead)
        if not self.switch.alive:
            raise HarnessError("the switch is gone")

    @property
    def reusable(self):
        return (not self._closed and not self._dead and not self.allow_taint and
                all(node.healthy for node in self))

    def tail(self, lines=30):
        """The ends of all consoles, for a failure's report."""
        return "\n".join(f"--- {node.folder}/console ends with\n{node.console.tail(lines)}"
                         for node in self)

    def close(self):
        if self._closed:
            return
        self._closed = True
        for node in self.nodes.values():
            node.close()
        if self.switch:
            self.switch.close()
        self.history.close()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def scratch_folder(name):
    """A folder below OUT for a cluster of a script."""
    return config.OUT / f"{name}-{os.getpid()}"
