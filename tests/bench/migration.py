"""
What it costs to move a process: the time until it is there, against pushing the same
bytes and against CRIU, and how long it stands still.
"""

import re
import statistics
import subprocess
from pathlib import Path

import criu
from harness import config
from measure import at_most, interleaved, numbers, sink, stop

HERE = Path(__file__).resolve().parent
KIB = (4, 1024, 16384, 65536, 262144)
# There and back, each.
TURNS = 5
BARRED = 65536
THREADS = 200


def compile_mover(folder):
    binary = folder / "mover"
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-static", "-pthread", "-s", "-o", binary,
                    HERE / "mover.c"], check=True, timeout=config.limit(120))
    return "/home/mover"


def move(node, pid, target):
    """ns of the command that moves it."""
    return numbers(node.out(f"a=$(date +%s%N); holon task migrate pid {pid} to {target}; "
                            "echo $(($(date +%s%N) - a))", timeout=300), 1)


class Process:
    def __init__(self, node, program, kib, threads=0):
        self.node = node
        self.task = node.spawn([program, str(kib), str(threads)], open_stdin=True)
        self.pid = int(self.task.wait_output(r"pid (\d+)\n", timeout=300).group(1))
        self.gaps = []

    def gap(self):
        """Longest time without a look at the clock since the last question."""
        before = len(re.findall(rb"gap \d+\n", self.task.stdout))
        self.task.input(b"x")
        self.task.wait_output(r"(?:gap \d+\n[^g]*){%d}" % (before + 1))
        return float(re.findall(rb"gap (\d+)\n", bytes(self.task.stdout))[-1])

    def there_and_back(self):
        took = []
        for target in (2, 1):
            self.gap()
            took += move(self.node, self.pid, target)
            self.gaps.append(self.gap())
        return took


def bench_migration(pair, report):
    cluster = pair.get()
    one, two = cluster[1], cluster[2]
    program = compile_mover(cluster.home)
    for kib in KIB:
        process = Process(one, program, kib)
        try:
            # What the wire takes for as many bytes, in messages of the same size.
            chunks = max(kib // 1000, 1)
            chunk = min(kib, 1000) * 1024
            took, pushed, restored = interleaved(
                process.there_and_back,
                lambda chunk=chunk, chunks=chunks: [kib * 1024 * 1e9 / rate  # noqa: B023
                                                    for rate in sink(one, two, chunk, chunks)],
                lambda: criu.move(one, two, program, kib),  # noqa: B023
                turns=TURNS)
        finally:
            stop(process.task)
        size = f"{kib} KiB" if kib < 1024 else f"{kib // 1024} MiB"
        report.add(f"moving a process with {size}, until the command ends", statistics.median(took), "ns",
                   "the same bytes over BULK", statistics.median(pushed),
                   bar=at_most(1.3) if kib == BARRED else None, samples=len(took),
                   note=f"stands still for {statistics.median(process.gaps) / 1e6:.1f} ms")
        report.add(f"moving a process with {size}", statistics.median(took), "ns",
                   "CRIU: dump into the other node, restore there", statistics.median(restored),
                   samples=len(restored), note="with CRIU it stands still all the time")
    one_thread, many = (Process(one, program, 4, threads) for threads in (0, THREADS))
    try:
        alone, together = interleaved(one_thread.there_and_back, many.there_and_back, turns=TURNS)
    finally:
        stop(one_thread.task)
        stop(many.task)
    report.add(f"moving a process with {THREADS} more threads", statistics.median(together), "ns",
               "without them", statistics.median(alone), samples=len(together),
               note=f"stands still for {statistics.median(many.gaps) / 1e6:.1f} ms")
