#!/usr/bin/python3
"""
make bench: what Holon costs, beside what the designs allow it to cost.

Every figure stands beside its reference from the same run on the same nodes,
pairs interleaved; medians of at least 400 samples for what crosses the wire
(streams and ssh, which take seconds, have fewer). Figures of one node come from
-icount, which counts instructions. Whether a bar is met is said and does not
change the exit status, which is 1 when something could not be measured. What
was measured is in build/bench/bench.md and bench.json in any case, the consoles
are in build/bench/logs.
"""

import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
import rpc_counters  # noqa: E402
from harness import config  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.errors import CommandFailed, HarnessError  # noqa: E402
from measure import (DEBUG, LOGS, OUT, SAMPLES, Report, at_least, at_most, echo,  # noqa: E402
                     interleaved, limited, number, numbers, sink, stop, value_at_most, within)
from membership import bench_encryption, bench_handshakes, bench_heartbeats, bench_views  # noqa: E402
from migration import bench_migration  # noqa: E402

HERE = Path(__file__).resolve().parent
PORT = 7000
# Seconds for one of MEASURES.
LIMIT = 900


# --- two nodes ----------------------------------------------------------------

def compile_programs(folder):
    """The reference programs, static, where the nodes see them."""
    for name in ("pingpong", "calls"):
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-static", "-s", "-o", folder / name,
                        HERE / f"{name}.c"], check=True, timeout=config.limit(120))


class Pair:
    """
    Two Debian nodes on the product kernel, booted when first asked for and again
    after a measurement that failed.
    """

    def __init__(self, report):
        self._report = report
        self._boots = 0
        self._cluster = None

    def get(self):
        if self._cluster:
            return self._cluster
        self._boots += 1
        # The references are not encrypted either.
        cluster = Cluster(2, folder=LOGS / f"pair-{self._boots}", image="root", kernel="product",
                          insecure=True)
        self._cluster = cluster
        compile_programs(cluster.home)
        cluster.start()
        cluster.wait_view({1, 2})
        for home, node in ((1, 2), (2, 1)):
            cluster.wait_until(lambda home=home, node=node: cluster[home].run(
                ["holon", "run", "-n", node, "--", "/bin/true"], check=False).status == 0,
                f"node {node} takes processes of node {home}", timeout=180)
        self._report.facts.update({
            "kernel": cluster[1].out("uname -r"),
            "wire": "no encryption (holon.insecure=1) for RPC, plain TCP for its reference"
                    if cluster.insecure else "encrypted RPC, but plain TCP for its reference",
            "clocksource of the nodes": cluster[1].read(
                "/sys/devices/system/clocksource/clocksource0/current_clocksource").strip()})
        return cluster

    def verdict(self):
        """Figures of a kernel that complains are none."""
        if self._cluster:
            self._cluster.verdict()

    def close(self):
        if self._cluster:
            self._cluster.close()
        self._cluster = None


# --- RPC and BULK against TCP of user space -----------------------------------

def echo_while_bulk(cluster, count):
    one, two = cluster[1], cluster[2]
    waits = rpc_counters.rpc(one).get("sink.credit-waits", 0)
    # As much as two nodes move in hours.
    flood = one.spawn(f"echo '2 65536 100000000' >{DEBUG}/sink")
    try:
        cluster.wait_until(lambda: rpc_counters.rpc(one).get("sink.credit-waits", 0) > waits,
                           "BULK is full")
        sent = rpc_counters.rpc(one)["sink.sent"]
        samples = echo(one, two, 64, 64, count)
        if not flood.running or rpc_counters.rpc(one)["sink.sent"] == sent:
            raise HarnessError(f"BULK did not go on while it was measured: {flood.result}")
    finally:
        stop(flood)
    # The lane keeps the order: this one comes after all of the flood.
    sink(one, two, 8, 1)
    return samples


def bench_rpc(pair, report):
    cluster = pair.get()
    one, two = cluster[1], cluster[2]
    pingpong = "/home/pingpong"
    server = two.spawn([pingpong, "serve", PORT])
    try:
        server.wait_output("ready")
        for request, reply in ((64, 64), (64, 4096)):
            ours, theirs = interleaved(
                lambda: echo(one, two, request, reply),
                lambda: numbers(one.out([pingpong, "rtt", two.address, PORT, request, reply,
                                         SAMPLES]), SAMPLES))
            report.add(f"RPC of {request} bytes, reply of {reply}", statistics.median(ours), "ns",
                       "TCP ping-pong", statistics.median(theirs), bar=at_most(1.25),
                       samples=len(ours))
        chunk, count = 65536, 256
        ours, theirs = interleaved(
            lambda: sink(one, two, chunk, count),
            lambda: numbers(one.out([pingpong, "stream", two.address, PORT, chunk, chunk * count],
                                    timeout=300), 1), turns=9)
        report.add("BULK, messages of 64 KiB", statistics.median(ours) / 1e6, "MB/s", "TCP stream",
                   statistics.median(theirs) / 1e6, bar=at_least(0.9), samples=len(ours),
                   note=f"{chunk * count >> 20} MiB per sample")
    finally:
        stop(server)
    idle, loaded = interleaved(lambda: echo(one, two, 64, 64), lambda: echo_while_bulk(cluster, SAMPLES),
                               turns=8)
    report.add("RPC of 64 bytes while BULK is full", statistics.median(loaded), "ns", "idle",
               statistics.median(idle), bar=at_most(3), samples=len(loaded))


# --- placement ----------------------------------------------------------------

TIMED = """
import os, sys, time
for _ in range(int(sys.argv[1])):
    start = time.monotonic_ns()
    pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
    status = os.waitpid(pid, 0)[1]
    print(time.monotonic_ns() - start)
    if status:
        sys.exit(f"{sys.argv[2:]} ended with wait status {status:#x}")
"""


def timed(node, command, count):
    """ns from the start of @command to its end, as its parent sees it."""
    return numbers(node.out(["python3", "-c", TIMED, count, *command], timeout=600), count)


def wire_count(cluster):
    """(calls, one-way messages) that processes away from home have made the nodes send."""
    calls = sent = 0
    for node in cluster:
        for name, value in rpc_counters.rpc(node).items():
            if re.match(r"(task|poll)_\w+\.calls$", name):
                calls += value
            elif re.match(r"(task|poll)_\w+\.sent$", name):
                sent += value
    return calls, sent


def start_ssh(cluster):
    """A dropbear on node 2 that lets root of node 1 in; (task, command to reach it)."""
    one, two = cluster[1], cluster[2]
    one.run("dropbearkey -t ed25519 -f /run/bench-key")
    public = one.out("dropbearkey -y -f /run/bench-key | grep ^ssh-")
    two.run("dropbearkey -t ed25519 -f /run/bench-host-key; mkdir -p -m 700 /root/.ssh")
    two.write("/root/.ssh/authorized_keys", public + "\n", mode=0o600)
    server = two.spawn(["dropbear", "-F", "-E", "-r", "/run/bench-host-key"])
    try:
        # It listens by then.
        server.wait_output("Not backgrounding")
        client = ["dbclient", "-y", "-y", "-i", "/run/bench-key", f"root@{two.address}"]
        name = one.out(client + ["uname -n"])
        if name != "node2":
            raise HarnessError(f"dbclient did not get to node 2 but to {name!r}")
    except BaseException:
        print(bytes(server.stderr).decode(errors="replace"), file=sys.stderr)
        stop(server)
        raise
    return server, client + ["/bin/true"]


def bench_run(pair, report):
    cluster = pair.get()
    one, two = cluster[1], cluster[2]
    true = ["/bin/true"]
    placed = ["holon", "run", "-n", "2", "--", *true]
    # What the command itself costs, without a placement.
    stays = ["holon", "run", "-n", "1", "--", *true]
    server, ssh = start_ssh(cluster)
    try:
        away, home, command, rpc, by_ssh = map(statistics.median, interleaved(
            lambda: timed(one, placed, 20), lambda: timed(one, true, 20),
            lambda: timed(one, stays, 20), lambda: echo(one, two, count=20),
            lambda: timed(one, ssh, 2), turns=20))
    finally:
        stop(server)
    report.add("holon run -n 2 true, beyond true at home", away - home, "ns", "empty RPC", rpc,
               bar=at_most(12), samples=400,
               note=f"of these {number(command - home)} ns are the command holon itself "
                    "(holon run -n 1 true, beyond true)")
    report.add("holon run -n 2 true", away, "ns", "dbclient true to the same node", by_ssh,
               bar=at_most(0.1), samples=400, note="40 samples of dbclient")
    report.add("holon run -n 2 true", away, "ns", "true at home", home, samples=400)
    runs = 50
    before = wire_count(cluster)
    timed(one, placed, runs)
    calls, sent = ((after - then) / runs for after, then in zip(wire_count(cluster), before))
    report.add("holon run -n 2 true, counted: calls of both nodes, plus half the one-way messages",
               calls + sent / 2, "round trips", bar=value_at_most(12, "round trips"), samples=runs,
               note=f"{calls:g} calls and {sent:g} one-way messages per run")


def bench_calls(pair, report):
    """Null calls of a guest."""
    cluster = pair.get()
    one, two = cluster[1], cluster[2]

    def guest(operation):
        return numbers(one.out(["holon", "run", "-n", "2", "--", "/home/calls", operation, SAMPLES],
                               timeout=300), SAMPLES)

    def native(operation):
        return numbers(two.out(["/home/calls", operation, SAMPLES], timeout=300), SAMPLES)

    ours, theirs = interleaved(lambda: guest("local"), lambda: native("local"))
    report.add("LOCAL null call of a guest (getpid)", statistics.median(ours), "ns",
               "native, same node", statistics.median(theirs), bar=at_most(2), samples=len(ours))
    # From the guest's node to its home, as the call goes.
    ours, theirs = interleaved(lambda: guest("forward"), lambda: echo(two, one))
    report.add("FORWARD null call of a guest (getppid)", statistics.median(ours), "ns",
               "empty RPC, same direction", statistics.median(theirs), bar=at_most(1.3),
               samples=len(ours))


# --- what idle processes cost their home --------------------------------------

WARM, MANY = 20, 200
SECONDS = 15

# One parent, so that only deputies are added: it starts as many as it is told.
PARENT = ("while read n; do i=0; while [ $i -lt $n ]; do "
          "holon run -n 2 -- sleep 1000000 & i=$((i+1)); done; done; wait")

IDLE = """
import sys, time

def switches():
    count = 0
    for pid in sys.argv[2:]:
        with open(f"/proc/{pid}/status") as file:
            count += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return count

def busy():
    with open("/proc/stat") as file:
        ticks = list(map(int, file.readline().split()[1:9]))
    # Neither idle nor waiting for a disk.
    return sum(ticks) - ticks[3] - ticks[4]

# Looking at all of them takes time, too: not between the two looks at the time.
switched, ticks = switches(), busy()
time.sleep(float(sys.argv[1]))
ticks = busy() - ticks
print(switches() - switched, ticks)
"""
PARTS = ("KernelStack", "PageTables", "SUnreclaim", "AnonPages", "Percpu")


def memory(node):
    """(KiB that are free, {part: KiB} in use), when as much is free as will be."""
    looks = []
    for _ in range(5):
        node.write("/proc/sys/vm/drop_caches", "3")
        node.run(["cat", "/proc/sys/vm/stat_refresh"])
        # Pages in the lists of the processors are free, and not in MemFree.
        pages = re.findall(r"^ +(?:pages free|count:) +(\d+)$", node.read("/proc/zoneinfo"),
                           re.MULTILINE)
        used = dict(re.findall(r"^(\w+): +(\d+) kB$", node.read("/proc/meminfo"), re.MULTILINE))
        looks.append((4 * sum(map(int, pages)), {part: int(used[part]) for part in PARTS}))
    return max(looks, key=lambda look: look[0])


def bench_deputies(pair, report):
    cluster = pair.get()
    one, two = cluster[1], cluster[2]

    def sleepers(node):
        return int(node.run(["pgrep", "-c", "-x", "sleep"], check=False).out or 0)

    def wait_sleepers(count):
        def there():
            if parent.running and parent.stderr:
                raise HarnessError(f"not all were placed: {bytes(parent.stderr[-1000:])!r}")
            return sleepers(one) == sleepers(two) == count

        cluster.wait_until(there, f"{count} processes of node 1 sleep on node 2", timeout=300)

    def idle():
        return numbers(one.out(["python3", "-c", IDLE, SECONDS,
                                *one.out(["pgrep", "-x", "sleep"]).split()], timeout=300), 2)

    parent = one.spawn(PARENT, open_stdin=True)
    try:
        parent.input(f"{WARM}\n")
        wait_sleepers(WARM)
        _, few_ticks = idle()
        free, parts = memory(one)
        for count in range(WARM + 50, WARM + MANY + 1, 50):
            parent.input("50\n")
            wait_sleepers(count)
        free_then, parts_then = memory(one)
        switches, ticks = idle()
    finally:
        stop(parent)
    wait_sleepers(0)
    report.add(f"context switches of {WARM + MANY} idle deputies in {SECONDS} s", switches, "switches",
               bar=value_at_most(0, "switches"), samples=1)
    report.add(f"CPU time at home in {SECONDS} s, {WARM + MANY} idle deputies", ticks * 10, "ms",
               f"with {WARM}", few_ticks * 10, samples=1,
               note="sampled in steps of 10 ms, heartbeats and the agent included")
    if free_then >= free:
        raise HarnessError(f"{MANY} deputies have freed memory: {free} KiB free before, "
                           f"{free_then} with them")
    shares = ", ".join(f"{part} {(parts_then[part] - parts[part]) / MANY:.1f}" for part in PARTS)
    report.add("memory at home per idle deputy", (free - free_then) / MANY, "KiB",
               bar=value_at_most(24, "KiB"), samples=MANY, note=f"KiB each: {shares}")


# --- what never moved, counted in instructions --------------------------------

OPERATIONS = {"local": "null call (getpid)", "getppid": "null call (getppid)",
              "fault": "map, touch, unmap a page", "fork": "fork, exit, wait",
              "exec": "fork, exec, exit, wait"}
ROUNDS = 200
BOOTS = 2


def plain(node, command, limit=120):
    """
    Like node.out() without a limit in the node: with sleep=off the clock of an idle
    node runs thousands of times as fast as ours.
    """
    task = node.spawn(command)
    result = task.wait(limit)
    if result.status != 0:
        raise CommandFailed(node.id, task.argv, result)
    return result.out


def measure_operations(node, samples):
    """Add the figures of this boot to @samples: {operation: [samples of a boot, ...]}."""
    for operation in OPERATIONS:
        samples.setdefault(operation, []).append(
            numbers(plain(node, ["/tmp/calls", operation, ROUNDS], 300), ROUNDS))


def with_container(node):
    """
    What every node of a larger cluster has: a container of a home. With it the hooks
    look at the task. holond makes one for its own node when it is asked to.
    """
    plain(node, "mv /usr/sbin/holond /usr/sbin/holond.real && "
                "printf '#!/bin/sh\\nexec /usr/sbin/holond.real --loopback\\n' >/usr/sbin/holond && "
                "chmod 755 /usr/sbin/holond && kill $(cat /run/holon/holond.pid)")
    node.wait_console(f"home {node.id}: container ready", timeout=180)
    plain(node, ["holon", "run", "-n", node.id, "--", "/bin/true"])


def with_cgroups(node):
    """The groups of a container, which have a cost of their own on any kernel."""
    plain(node, "{ test -e /sys/fs/cgroup/cgroup.procs || mount -t cgroup2 cgroup2 /sys/fs/cgroup; } && "
                "cd /sys/fs/cgroup && mkdir -p holon.slice && "
                "for c in memory pids cpu; do echo +$c > cgroup.subtree_control && "
                "echo +$c > holon.slice/cgroup.subtree_control; done && mkdir holon.slice/home-1")


def boot_and_count(kernel, boot, program, samples):
    with Cluster(1, folder=LOGS / f"icount-{kernel}-{boot}", kernel=kernel, append=["tsc=reliable"],
                 qemu=["-icount", "shift=1,sleep=off"]) as cluster:
        node = cluster.start()[1]
        # Nothing that waits for the host, whose time would be counted.
        node.write("/tmp/calls", program, mode=0o755)
        node.write("/proc/sys/kernel/randomize_va_space", "0")
        if kernel == "off":
            # Or init would start it again and again.
            plain(node, "chmod a-x /usr/sbin/holond")
            measure_operations(node, samples.setdefault("off", {}))
            with_cgroups(node)
            measure_operations(node, samples.setdefault("off, with cgroups", {}))
        else:
            cluster.wait_until(
                lambda: node.read("/sys/kernel/holon/state").strip() == "member",
                "the node is a member", timeout=180)
            measure_operations(node, samples.setdefault("joined", {}))
            with_container(node)
            measure_operations(node, samples.setdefault("joined, with a container", {}))
        cluster.verdict()


def other_options():
    """Options in which the kernels differ, other than ours."""
    options = []
    for kernel in ("off", "product"):
        file = config.kernel(kernel).parents[3] / ".config"
        if not file.exists():
            return f"not known, there is no {file}"
        options.append({line for line in file.read_text().splitlines() if line.startswith("CONFIG_")})
    return ", ".join(sorted(o for o in options[0] ^ options[1] if "HOLON" not in o)) or "none"


def bench_never_moved(pair, report):
    pair.close()
    if config.ACCEL != "tcg":
        raise HarnessError(f"instructions are counted by TCG only, not with ACCEL={config.ACCEL}")
    scratch = LOGS / "programs"
    scratch.mkdir(parents=True, exist_ok=True)
    compile_programs(scratch)
    program = (scratch / "calls").read_bytes()
    report.facts["options other than CONFIG_HOLON in which product and =n differ"] = other_options()

    samples, errors = {}, []
    for boot in range(1, BOOTS + 1):
        for kernel in ("off", "product"):
            try:
                boot_and_count(kernel, boot, program, samples)
            except Exception as error:  # pylint: disable=broad-except
                errors.append(error)
    references = {"joined": samples.pop("off", {}),
                  "joined, with a container": samples.pop("off, with cgroups", {})}
    for state, found in samples.items():
        off = references[state]
        for operation, what in OPERATIONS.items():
            if operation not in found or operation not in off:
                continue
            boots = [", ".join(number(statistics.median(boot)) for boot in half[operation])
                     for half in (found, off)]
            ours, theirs = (statistics.median(sum(half[operation], [])) for half in (found, off))
            report.add(f"never moved, {state}: {what}", ours, "ns of icount",
                       "same tree, =n" + (", with its cgroups" if "container" in state else ""), theirs,
                       bar=within(1), samples=sum(map(len, found[operation])),
                       note=f"by boot: {boots[0]} against {boots[1]}")
    if errors:
        raise errors[0]


# --- all of it ----------------------------------------------------------------

MEASURES = {"rpc": bench_rpc, "run": bench_run, "calls": bench_calls, "migration": bench_migration,
            "deputies": bench_deputies,
            "never-moved": bench_never_moved, "encryption": bench_encryption,
            "handshakes": bench_handshakes, "views": bench_views, "heartbeats": bench_heartbeats}


def measure(names, report):
    pair = Pair(report)
    try:
        for name in names:
            began = time.monotonic()
            print(f"{name} ... logs: {LOGS}", flush=True)
            try:
                with limited(LIMIT, name):
                    MEASURES[name](pair, report)
                    pair.verdict()
            except Exception as error:  # pylint: disable=broad-except
                report.failed(name, error)
                (LOGS / f"{name}.traceback").write_text(traceback.format_exc())
                pair.close()
            print(f"{name} took {time.monotonic() - began:.0f} s", flush=True)
            report.write()
    finally:
        pair.close()


def interrupted(signum, frame):
    # A second one would break into the writing.
    for known in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(known, signal.SIG_IGN)
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", help=f"of {', '.join(MEASURES)}; default: all")
    only = parser.parse_args().only
    if wrong := set(only) - set(MEASURES):
        parser.error(f"there is no {', '.join(sorted(wrong))}; there are {', '.join(MEASURES)}")
    shutil.rmtree(OUT, ignore_errors=True)
    LOGS.mkdir(parents=True)
    for known in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(known, interrupted)
    report = Report()
    report.facts["host"] = (f"{os.cpu_count()} processors, {config.ACCEL}, load at the start "
                            f"{os.getloadavg()[0]:.1f}")
    status = 0
    try:
        measure([name for name in MEASURES if not only or name in only], report)
    except KeyboardInterrupt:
        report.failed("the rest", KeyboardInterrupt("interrupted"))
        status = 130
    finally:
        report.write()
        print(f"written: {OUT / 'bench.md'}", flush=True)
    return status or (1 if report.failures else 0)


if __name__ == "__main__":
    sys.exit(main())
