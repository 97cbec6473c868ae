#!/usr/bin/python3
"""
make up: a cluster of Debian nodes with a console of node 1 on this terminal.

Without a terminal the tour (tour.py) runs instead and decides the exit status.
make down, Ctrl-] at the console, the end of its shell and Ctrl-C while the nodes
boot all stop the cluster, and leave no process.
"""

import argparse
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import time
import tty
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from harness import config, tour  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.errors import HarnessError, NodeGone, TimedOut  # noqa: E402

FOLDER = config.OUT / "up"
LOCK = config.OUT / "up.lock"
QUIT = b"\x1d"


def progress(what, detail=""):
    print(f"{what:<18} {detail}".rstrip(), flush=True)


class Lock:
    """One cluster at a time; make down finds its process here."""

    def __init__(self):
        LOCK.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(LOCK, "a+", encoding="ascii")

    def take(self):
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()
        return True

    def holder(self):
        """The process that has it, None when there is none."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            return int(self._file.read() or 0) or None
        fcntl.flock(self._file, fcntl.LOCK_UN)
        return None


def down():
    lock = Lock()
    holder = lock.holder()
    if not holder:
        progress("down", "no cluster is running")
        return 0
    os.kill(holder, signal.SIGTERM)
    end = time.monotonic() + config.limit(60)
    while lock.holder():
        if time.monotonic() > end:
            print(f"down: process {holder} does not end", file=sys.stderr)
            return 1
        time.sleep(0.05)
    progress("down", "the cluster is stopped")
    return 0


def enough_memory(nodes, each):
    with open("/proc/meminfo", encoding="ascii") as file:
        available = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable"))
    return available // 1024 >= nodes * each


def boot(cluster):
    """Start all nodes and say how far that is."""
    count = len(cluster.nodes)
    began = time.monotonic()
    for node in cluster:
        node.start()
    for done, node in enumerate(cluster, 1):
        progress(f"boot [{done}/{count}] ...", f"log: {node.folder}/console")
        node.wait_boot()
    if cluster.expect:
        progress("cluster ...", f"{count} nodes find one another, log: {FOLDER}/history.jsonl")
        view = cluster.wait_view(set(cluster.nodes))
        progress("cluster", f"{count} members in epoch {view}, "
                            f"{time.monotonic() - began:.0f} s after power on")


def window():
    rows, columns = struct.unpack("HHHH", fcntl.ioctl(
        0, termios.TIOCGWINSZ, bytes(8)))[:2]
    return [rows or 24, columns or 80]


def relay(task, woken):
    """Carry bytes between this terminal and @task until either ends."""
    os.set_blocking(woken, False)
    while task.running:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
        if 0 in ready:
            data = os.read(0, 65536)
            if not data or QUIT in data:
                return
            task.input(data)


def console(node):
    """A login shell of @node on this terminal, with its size and job control."""
    reader, writer = os.pipe()
    task = node.terminal.spawn(["bash", "-l"], pty=window(), cwd="/home",
                               env={"TERM": os.environ.get("TERM", "linux"), "HOME": "/home",
                                    "SHELL": "/bin/bash"})

    def output(_, data):
        os.write(1, data)

    task.on_output = output
    task.on_end = lambda: os.write(writer, b"x")
    saved = termios.tcgetattr(0)
    before = signal.signal(signal.SIGWINCH, lambda *_: task.resize(*window()))
    try:
        tty.setraw(0)
        relay(task, reader)
    finally:
        signal.signal(signal.SIGWINCH, before)
        termios.tcsetattr(0, termios.TCSADRAIN, saved)
    if task.error:
        raise task.error


def act(cluster):
    if not (os.isatty(0) and os.isatty(1)):
        return tour.run(cluster)
    print(f"\nConsole of node 1. /home is the same on all nodes ({cluster.home} here).\n"
          "Try: holon node show; holon run -n 2 -- uname -n\n"
          "Ctrl-] or the end of this shell stops the cluster.\n", flush=True)
    console(cluster[1])
    return 0


def interrupted(signum, frame):
    # A second one would break into the stopping.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def up(nodes, memory):
    lock = Lock()
    if not lock.take():
        print("up: a cluster is running already; make down stops it", file=sys.stderr)
        return 1
    if not enough_memory(nodes, memory):
        print(f"up: {nodes} nodes of {memory} MiB need more memory than is available; "
              f"try fewer: make up NODES={max(1, nodes - 1)}", file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    cluster = None
    try:
        cluster = Cluster(nodes, folder=FOLDER, name="holon", image="root", kernel="product",
                          memory=memory, home=config.OUT / "up-home")
        boot(cluster)
        return act(cluster)
    except KeyboardInterrupt:
        print("\nup: interrupted", file=sys.stderr)
        return 130
    except (HarnessError, NodeGone, TimedOut) as error:
        print(f"up: {error}", file=sys.stderr)
        return 1
    finally:
        if cluster:
            progress("stop ...", f"logs stay in {FOLDER}")
            cluster.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--memory", type=int, default=1024, help="MiB of each node")
    parser.add_argument("--down", action="store_true", help="stop the running cluster")
    args = parser.parse_args()
    if args.down:
        return down()
    if not 1 <= args.nodes <= 16:
        parser.error("between 1 and 16 nodes")
    return up(args.nodes, args.memory)


if __name__ == "__main__":
    sys.exit(main())
