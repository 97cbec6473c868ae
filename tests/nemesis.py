"""
A nemesis: breaks a cluster at random, by a seed, while programs run from all nodes on
all others; heals it; and asks nemesis_history.py whether that was a history a cluster
may have.
"""

import random
import re
import subprocess
import threading
import time
from pathlib import Path

import rpc_counters
from harness import config
from harness.errors import HarnessError, NodeGone, TimedOut
from nemesis_history import (End, Frozen, Kill, Out, Quiet, Run, Stop, Tick, View, check,
                             is_quorum)
from runs import grown, usage
from views import _ids, view

# More often than nodes are used to: false suspicions are welcome here.
FD_MS = 3000
OPTIONS = {"fresh": True, "fd_ms": FD_MS, "append": ["slab_nomerge"]}

STAMP = "/home/bin/stamp"
SOURCE = Path(__file__).parent / "programs" / "stamp.c"
LEASE = "/sys/module/holon/parameters/lease_ms"
PORT = 29477

# What may be more on a node after a round without being a leak: workers, caches.
NOISE = 60

BOOT = re.compile(r"Linux version ")
INSTALLED = re.compile(r"holon: view (\d+): installed, \d+ members? ([\d,-]+), "
                       r"node \d+ leads, cluster ([0-9a-f-]+)")
OUT = re.compile(r"holon: out of the cluster:")


class Wrong(Exception):
    """The cluster did what it must not do."""


def from_console(node):
    """The events that the console of @node tells."""
    life = 0
    events = []
    for t, line in list(node.console.lines):
        if BOOT.search(line):
            life += 1
        elif match := INSTALLED.search(line):
            events.append(View(t, node.id, life, match[3], int(match[1]), _ids(match[2])))
        elif OUT.search(line):
            events.append(Out(t, node.id, life))
    return events


class Stamps:
    """Watches the files in which guests count, and notes when a count has changed."""

    def __init__(self, folder, note):
        self.folder = folder
        self._note = note
        self._last = {}
        self._ticked = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._end.wait(0.05):
            for file in self.folder.iterdir():
                try:
                    text = file.read_bytes()
                except FileNotFoundError:
                    continue
                if text and self._last.get(file.name) != text:
                    self._last[file.name] = text
                    self._ticked[file.name] = time.monotonic()
                    self._note(Tick(self._ticked[file.name], file.name))

    def ticked(self, run):
        """When it was last seen to run; 0: never."""
        return self._ticked.get(run, 0)

    def close(self):
        self._end.set()
        self._thread.join()


class Program:
    """@name runs from @home on @node until its parent sees the end, or @home dies."""

    def __init__(self, nemesis, name, home, node):
        self.nemesis = nemesis
        self.name, self.home, self.node = name, home, node
        self.task = None
        self.began = 0

    def begin(self):
        """Place it; a node may need a moment to be ready for programs of another."""
        def placed():
            if self.task is None:
                self.task = home.spawn(["holon", "run", "-n", str(self.node), "--", STAMP,
                                        f"/home/stamps/{self.name}"])
                self.task.on_end = self._ended
            if b"ready" in self.task.stdout:
                return True
            if self.task.result is not None:
                refusals.append(self.task.result)
                self.task = None
            return False

        home = self.nemesis.cluster[self.home]
        refusals = []
        self.began = time.monotonic()
        try:
            self.nemesis.cluster.wait_until(placed, f"{self.name} runs", timeout=120)
        except TimedOut as error:
            raise Wrong(f"{error}; {refusals[-1:]}") from None
        self.nemesis.note(Run(self.began, self.name, self.home, self.node))

    def _ended(self):
        result = self.task.result
        if result is not None and b"ready" in self.task.stdout:
            self.nemesis.note(End(time.monotonic(), self.name, result.signal, result.status))

    @property
    def waiting(self):
        """Does its parent wait for it?"""
        return self.task.running

    def stop(self):
        if self.waiting:
            self.nemesis.note(Stop(time.monotonic(), self.name))
            self.task.signal(15)
            self.task.wait()


class Nemesis:
    """At @cluster, with random numbers from @seed. @say prints a line."""

    def __init__(self, cluster, seed, say):
        self.cluster = cluster
        self.rng = random.Random(seed)
        self.say = say
        self.history = []
        self._frozen = {}
        self._dead = set()
        self._booting = set()
        self._usage = {}
        self.rounds = self.restarts = 0
        self._programs = []
        self._install()
        folder = cluster.home / "stamps"
        folder.mkdir()
        self.stamps = Stamps(folder, self.note)
        lease = cluster[1].run(f"cat {LEASE}", check=False).out.strip()
        self.grace = None if not lease else int(lease) / 1000 + config.limit(2)

    def _install(self):
        target = self.cluster.home / "bin" / "stamp"
        target.parent.mkdir(exist_ok=True)
        subprocess.run(["cc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-o", target,
                        SOURCE], check=True, timeout=config.limit(120))

    def note(self, event):
        self.history.append(event)

    def close(self):
        self.stamps.close()

    # --- what it does to the cluster ---

    def _pair(self):
        return self.rng.sample(sorted(self.cluster.nodes), 2)

    def _living(self):
        return [node for node in sorted(self.cluster.nodes)
                if node not in self._dead and node not in self._frozen]

    def cut(self):
        a, b = self._pair()
        self.cluster.cut(a, b)
        return f"cut {a} {b}"

    def cut_one_way(self):
        a, b = self._pair()
        self.cluster.cut(a, b, both=False)
        return f"cut {a} -> {b}"

    def isolate(self):
        alone = self.rng.choice(sorted(self.cluster.nodes))
        self.cluster.partition({alone}, set(self.cluster.nodes) - {alone})
        return f"isolate {alone}"

    def split(self):
        """Into two parts, any two."""
        nodes = sorted(self.cluster.nodes)
        part = set(self.rng.sample(nodes, self.rng.randrange(1, len(nodes))))
        self.cluster.partition(part, set(nodes) - part)
        return f"split {sorted(part)} from the rest"

    def slow(self):
        a, b = self._pair()
        self.cluster.switch.delay(a, b, self.rng.randrange(FD_MS), self.rng.randrange(200))
        return f"slow {a} -> {b}"

    def heal_links(self):
        self.cluster.heal()
        return "heal"

    def kill(self):
        living = self._living()
        # All dead at once is a new cluster, and tells nothing.
        if len(living) < 2:
            return None
        node = self.rng.choice(living)
        self._dead.add(node)
        self.cluster.kill(node)
        self.note(Kill(time.monotonic(), node))
        return f"kill {node}"

    def reset(self):
        living = self._living()
        if len(living) < 2:
            return None
        node = self.rng.choice(living)
        # It boots while the nemesis goes on.
        self.cluster.kill(node)
        self.note(Kill(time.monotonic(), node))
        self.cluster.revive(node, wait=False)
        self._booting.add(node)
        return f"reset {node}"

    def freeze(self):
        living = [node for node in self._living() if node not in self._booting]
        if len(living) < 2:
            return None
        node = self.rng.choice(living)
        self._frozen[node] = time.monotonic()
        self.cluster[node].freeze()
        return f"freeze {node}"

    def thaw(self, node=None):
        if not self._frozen:
            return None
        node = node or self.rng.choice(sorted(self._frozen))
        self.cluster[node].thaw()
        self.note(Frozen(self._frozen.pop(node), node, time.monotonic()))
        return f"thaw {node}"

    def break_it(self):
        """A few faults, at times that no event of the cluster decides."""
        faults = [self.cut, self.cut_one_way, self.cut_one_way, self.isolate, self.split,
                  self.slow, self.heal_links, self.kill, self.reset, self.freeze, self.thaw]
        for _ in range(self.rng.randint(1, 4)):
            done = self.rng.choice(faults)()
            pause = config.limit(self.rng.uniform(0, 1.7) * FD_MS / 1000)
            if done:
                self.say(f"  {done}, then {pause:.1f} s")
                time.sleep(pause)

    def heal(self):
        self.cluster.heal()
        for node in sorted(self._frozen):
            self.thaw(node)
        for node in sorted(self._dead):
            self.cluster.revive(node, wait=False)
            self._booting.add(node)
        self._dead.clear()
        for node in sorted(self._booting):
            self.cluster[node].wait_boot()
        self._booting.clear()

    # --- what must be then ---

    def _views(self):
        return {node.id: view(node) for node in self.cluster}

    @staticmethod
    def _agreed(views):
        first = views[min(views)]
        return first.state == "member" and first.steady and \
            first.members == frozenset(views) and all(v == first for v in views.values())

    @staticmethod
    def _stuck(views):
        """
        Is no quorum of any view alive? Then an administrator has to say what is to be:
        nobody can know that the others are not somewhere, going on.
        """
        frozen = {node: v for node, v in views.items() if v.state == "frozen"}
        if not frozen or any(v.state not in ("frozen", "alone", "joining") for v in views.values()):
            return False
        for v in frozen.values():
            voters = {node for node, other in frozen.items()
                      if other.cluster == v.cluster and other.epoch <= v.epoch}
            if is_quorum(v.members, voters):
                return False
        return True

    def _restart(self):
        """What an administrator does: end what is left, and form a new cluster."""
        self.restarts += 1
        for node in self.cluster:
            self.cluster.kill(node.id)
            self.note(Kill(time.monotonic(), node.id))
        for node in self.cluster:
            self.cluster.revive(node.id, wait=False)
        self.cluster.wait_boot()

    def _settle(self):
        """Wait for one view of all. Return: it, or None when only a restart can help."""
        views, stuck = {}, []

        def settled():
            views.update(self._views())
            if self._agreed(views):
                return True
            stuck.append(self._stuck(views))
            return all(stuck[-20:]) and len(stuck) >= 20

        try:
            self.cluster.wait_until(settled, "one view of all nodes", timeout=180)
        except TimedOut:
            raise Wrong(f"no agreement after all was healed: {views}") from None
        return views if self._agreed(views) else None

    def agree(self):
        views = self._settle()
        if views is None:
            self.say("  no quorum is left: all restart")
            self._restart()
            views = self._settle()
            if views is None:
                raise Wrong("no agreement after a restart of all")
        return views

    def pairs(self, views):
        """Every guest has its parent, every parent its guest."""
        shown = {}

        def paired():
            asked = time.monotonic()
            waiting = {p.name for p in self._programs if p.waiting}
            # Whoever runs will be seen to within a moment.
            ticking = set()

            def seen():
                ticking.update(p.name for p in self._programs
                               if self.stamps.ticked(p.name) > asked)
                return ticking >= waiting
            try:
                self.cluster.wait_until(seen, "what runs counts on", timeout=5)
            except TimedOut:
                pass
            shown.update(waiting=waiting, ticking=ticking)
            return waiting == ticking

        try:
            self.cluster.wait_until(paired, "each guest has its parent", timeout=60)
        except TimedOut:
            pass
        self.note(Quiet(time.monotonic(),
                        {node: (v.cluster, v.epoch, v.members) for node, v in views.items()},
                        frozenset(shown["ticking"]), frozenset(shown["waiting"])))
        self.say(f"  epoch {views[1].epoch}, still running: {', '.join(sorted(shown['waiting']))}")

    def _left_over(self, node):
        """What is still there of the programs that have ended, as a sentence or ""."""
        ps = [line for line in node.out("ps").splitlines() if STAMP in line]
        if ps:
            return f"tasks: {ps}"
        counters = rpc_counters.rpc(node)
        for name in ("rpc.calls-open", "rpc.requests-open"):
            if counters[name]:
                return f"{name} {counters[name]}: " + node.out(f"cat {rpc_counters.DEBUG}/open")
        established = [line.split() for line in node.read("/proc/net/tcp").splitlines()[1:]]
        ports = [(int(f[1].split(":")[1], 16), int(f[2].split(":")[1], 16))
                 for f in established if f[3] == "01"]
        count = sum(PORT in pair for pair in ports)
        # A lane for each rank to each other node.
        if count > 5 * (len(self.cluster.nodes) - 1):
            return f"{count} connections"
        return ""

    def _more(self, node):
        """What has become more since this life of @node was first at rest."""
        now = usage(node)
        life = sum(1 for _, line in list(node.console.lines) if BOOT.search(line))
        before = self._usage.setdefault((node.id, life), now)
        return grown(before, now, NOISE)

    def nothing_left(self):
        for node in self.cluster:
            for question in (self._left_over, self._more):
                answer = []

                def clean(node=node, question=question, answer=answer):
                    answer[:] = [question(node)]
                    return not answer[0]
                try:
                    self.cluster.wait_until(clean, "nothing is left over", timeout=60)
                except TimedOut:
                    raise Wrong(f"left over on node {node.id}: {answer[0]}") from None

    def judge(self):
        """Raise Wrong if this is no history a cluster may have."""
        told = [event for node in self.cluster for event in from_console(node)]
        wrong = check(told + self.history, self.grace)
        if wrong:
            raise Wrong("\n".join(wrong))
        # What a cluster did with views stays of interest, when programs ran does not.
        self.history = [event for event in self.history if isinstance(event, (Kill, Frozen))]

    # --- a round ---

    def round(self):
        self.rounds += 1
        self.say(f"round {self.rounds}")
        nodes = sorted(self.cluster.nodes)
        self._programs = [Program(self, f"{self.rounds}.{home}-{node}", home, node)
                          for home in nodes for node in nodes if home != node]
        for program in self._programs:
            program.begin()
        self.break_it()
        self.heal()
        self.pairs(self.agree())
        for program in self._programs:
            program.stop()
        self.nothing_left()
        self.judge()

    def run(self, seconds):
        """Rounds, until @seconds have passed."""
        end = time.monotonic() + seconds
        self.agree()
        self.nothing_left()
        while time.monotonic() < end:
            try:
                self.round()
            except (Wrong, HarnessError, NodeGone, TimedOut) as error:
                raise Wrong(f"round {self.rounds}: {error}") from error
