#!/usr/bin/python3
"""make bench: the ratio tables of the designs, measured on the product kernel.

Every figure stands beside its reference from the same run on the same pair of
nodes, pairs interleaved; medians of at least 400 samples for what crosses the
wire. Single-node figures come from -icount, which counts instructions.
Writes build/bench/bench.json and build/bench/bench.md. No verdict: the bars are
printed beside the results, and a reader judges.
"""
import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import config  # noqa: E402
from harness.cluster import Cluster  # noqa: E402

HERE = Path(__file__).resolve().parent
OUT = config.BUILD / "bench"
PORT = 7000
DEBUG = "/sys/kernel/debug/holon"
ROUNDS = 10
PER_ROUND = 50


class Table:
    """Rows of one figure, its reference and the bar."""

    def __init__(self):
        self.rows = []

    def add(self, what, value, unit, reference, reference_value, bar):
        ratio = value / reference_value if reference_value else float("nan")
        self.rows.append({"what": what, "value": value, "unit": unit, "reference": reference,
                          "reference_value": reference_value, "ratio": ratio, "bar": bar})
        print(f"{what}: {value:,.0f} {unit}; {reference}: {reference_value:,.0f}; "
              f"ratio {ratio:.3f} (bar: {bar})", flush=True)

    def write(self):
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / "bench.json").write_text(json.dumps(self.rows, indent=1) + "\n")
        lines = ["| what | measured | reference | measured | ratio | bar |",
                 "| --- | ---: | --- | ---: | ---: | --- |"]
        lines += [f"| {r['what']} | {r['value']:,.0f} {r['unit']} | {r['reference']} | "
                  f"{r['reference_value']:,.0f} {r['unit']} | {r['ratio']:.3f} | {r['bar']} |"
                  for r in self.rows]
        (OUT / "bench.md").write_text("\n".join(lines) + "\n")
        print(f"written: {OUT / 'bench.md'}")


def compile_programs(folder):
    """The reference programs, static, where the nodes see them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("pingpong", "calls"):
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-static", "-o", folder / name,
                        HERE / f"{name}.c"], check=True)


def numbers(text):
    return [int(line) for line in text.split() if line.isdigit()]


def median_interleaved(*measures):
    """Run the measures in turn and return the median of each one's samples."""
    samples = [[] for _ in measures]
    for _ in range(ROUNDS):
        for collected, measure in zip(samples, measures):
            collected += measure()
    return [statistics.median(collected) for collected in samples]


def bench_rpc(cluster, table):
    """RPC and BULK of the kernel against user-space TCP between the same nodes."""
    one, two = cluster[1], cluster[2]
    server = two.spawn(["/home/pingpong", "serve", str(PORT)])
    server.wait_output("ready")

    def rpc(request, reply):
        return lambda: echo(one, request, reply, PER_ROUND)

    def tcp(request, reply):
        return lambda: numbers(one.out(
            f"/home/pingpong rtt {two.address} {PORT} {request} {reply} {PER_ROUND}"))

    for request, reply in ((64, 64), (64, 4096)):
        ours, theirs = median_interleaved(rpc(request, reply), tcp(request, reply))
        table.add(f"RPC {request} B, reply {reply} B", ours, "ns", "TCP ping-pong", theirs,
                  "at most 1.25 x")

    size = 64 << 20

    def stream():
        return numbers(one.out(f"/home/pingpong stream {two.address} {PORT} 65536 {size // 4}"))

    ours, theirs = [], []
    for _ in range(3):
        ours.append(sink(one, 65536, size // 4))
        theirs += stream()
    table.add("BULK", statistics.median(ours), "B/s", "TCP stream", statistics.median(theirs),
              "at least 0.9 x")

    idle = statistics.median(echo(one, 64, 64, 400))
    loaded = statistics.median(echo_while_bulk(one, 400))
    table.add("RPC 64 B while BULK is full", loaded, "ns", "idle", idle, "at most 3 x")
    server.signal("TERM")
    server.wait()
    return idle


def echo(node, request, reply, count):
    """Round trips of the ECHO call from @node to node 2, in ns."""
    node.run(f"echo '2 {request} {reply} {count}' >{DEBUG}/echo", timeout=300)
    return numbers(node.out(f"cat {DEBUG}/echo"))


def sink(node, chunk, size):
    """Bytes per second of one-way BULK messages to node 2."""
    node.run(f"echo '2 {chunk} {size // chunk}' >{DEBUG}/sink", timeout=300)
    moved, took = numbers(node.out(f"cat {DEBUG}/sink"))
    return moved * 1e9 / took


def echo_while_bulk(node, count):
    flood = node.spawn(f"echo '2 65536 10000000' >{DEBUG}/sink")
    try:
        return echo(node, 64, 64, count)
    finally:
        flood.kill()
        flood.wait()


def timed(node, command, count):
    """ns per run of @command, started by one shell."""
    script = ("import os,subprocess,sys,time\n"
              "for i in range(int(sys.argv[1])):\n"
              " t=time.monotonic_ns(); p=os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)\n"
              " os.waitpid(p,0); print(time.monotonic_ns()-t)\n")
    return numbers(node.out(["python3", "-c", script, str(count), *command], timeout=600))


def message_count(node):
    """Calls and one-way messages this node has sent so far."""
    return sum(int(value) for value in
               re.findall(r"^task\S*\.(?:sent|calls) (\d+)$", node.out(f"cat {DEBUG}/rpc"),
                          re.MULTILINE))


def bench_run(cluster, table, idle_rpc):
    """holon run -n 2 true against true at home and against ssh to the same node."""
    one, two = cluster[1], cluster[2]
    start_ssh(cluster)
    ssh = ["dbclient", "-y", "-y", "-i", "/home/bench_key", f"root@{two.address}", "true"]
    placed = ["holon", "run", "-n", "2", "--", "/bin/true"]
    one.run(ssh)
    local = statistics.median(timed(one, ["/bin/true"], 100))
    remote, by_ssh = [], []
    for _ in range(5):
        remote += timed(one, placed, 20)
        by_ssh += timed(one, ssh, 4)
    remote, by_ssh = statistics.median(remote), statistics.median(by_ssh)
    before = message_count(one)
    timed(one, placed, 20)
    messages = (message_count(one) - before) / 20
    print(f"messages sent by home per run: {messages:.1f}")
    table.add("holon run -n 2 true, beyond true at home", remote - local, "ns",
              "one empty RPC", idle_rpc, "at most 12 x")
    table.add("holon run -n 2 true", remote, "ns", "ssh (dropbear) true", by_ssh, "at most 0.1 x")


def start_ssh(cluster):
    key = cluster.home / "bench_key"
    if not key.exists():
        cluster[1].run("dropbearkey -t ed25519 -f /home/bench_key >/home/bench_key.txt")
    cluster[2].run("mkdir -p /run/ssh /root/.ssh 2>/dev/null; "
                   "dropbearkey -t ed25519 -f /run/ssh/host >/dev/null")
    cluster[2].run("mount -t tmpfs tmpfs /root && mkdir -m 700 /root/.ssh && "
                   "grep ^ssh- /home/bench_key.txt >/root/.ssh/authorized_keys && "
                   "chmod 600 /root/.ssh/authorized_keys && chmod 700 /root && dropbear -r /run/ssh/host")


def bench_calls(cluster, table, idle_rpc):
    """Null calls inside a guest."""
    one = cluster[1]

    def guest(operation):
        return lambda: numbers(one.out(["holon", "run", "-n", "2", "--", "/home/calls", operation, "200"],
                                       timeout=300))

    def native(operation):
        return lambda: numbers(cluster[2].out(["/home/calls", operation, "200"]))

    ours, theirs = median_interleaved(guest("local"), native("local"))
    table.add("LOCAL null call in a guest (getpid)", ours, "ns", "native", theirs, "at most 2 x")
    ours = statistics.median(sum((guest("forward")() for _ in range(3)), []))
    table.add("FORWARD null call (getppid)", ours, "ns", "empty RPC", idle_rpc, "at most 1.3 x")


def bench_never_moved(table):
    """A workload that never moved, on a joined kernel against the same tree with =n."""
    results = {}
    for kernel in ("off", "product"):
        folder = OUT / f"icount-{kernel}"
        with Cluster(1, folder=folder, image="initramfs", kernel=kernel,
                     qemu=["-icount", "shift=1,sleep=off"]) as cluster:
            compile_programs(cluster.home)
            cluster.start()
            node = cluster[1]
            if kernel == "product":
                cluster.wait_until(lambda: node.out("cat /sys/kernel/holon/state") == "member",
                                   "the node is a member", timeout=120)
            for operation, rounds in (("local", 200), ("getppid", 200), ("fault", 200),
                                      ("fork", 100), ("exec", 100)):
                results[kernel, operation] = numbers(node.out(["/home/calls", operation, str(rounds)],
                                                              timeout=600))[0]
    for operation in ("local", "getppid", "fault", "fork", "exec"):
        table.add(f"never moved, joined: {operation}", results["product", operation], "ns (icount)",
                  "same tree, =n", results["off", operation], "within 1 %")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="rpc, run, calls, idle; default all")
    only = parser.parse_args().only
    table = Table()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    if not only or set(only) - {"idle"}:
        with Cluster(2, folder=OUT / "pair", image="root", kernel="product") as cluster:
            compile_programs(cluster.home)
            cluster.start()
            for node in cluster:
                cluster.wait_until(lambda: node.out("cat /sys/kernel/holon/members /sys/kernel/holon/steady")
                                   .split() == ["1-2", "1"], "two members", timeout=120)
            idle_rpc = bench_rpc(cluster, table)
            if not only or "run" in only:
                bench_run(cluster, table, idle_rpc)
            if not only or "calls" in only:
                bench_calls(cluster, table, idle_rpc)
    if not only or "idle" in only:
        bench_never_moved(table)
    table.write()


if __name__ == "__main__":
    main()
