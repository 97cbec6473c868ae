"""
What the cluster itself costs: encryption, handshakes, the time until the others go on
without a node that died, heartbeats.
"""

import contextlib
import statistics
import time
from pathlib import Path

from harness.cluster import Cluster
from harness.errors import HarnessError
from measure import DEBUG, LOGS, SAMPLES, echo, interleaved, numbers, sink

FD_MS = 3000
KILLS = 10
# Seconds of a sample of what idle nodes do, and turns of the pair.
IDLE = 15
IDLE_TURNS = 4
SIZES = (16, 64, 255)


@contextlib.contextmanager
def cluster_of(nodes, name, **options):
    """Small nodes on the product kernel, in one view."""
    with Cluster(nodes, folder=LOGS / name, kernel="product", **options) as cluster:
        cluster.start()
        cluster.wait_view(set(cluster.nodes))
        yield cluster
        cluster.verdict()


def cipher(node):
    """Which code of the kernel encrypts."""
    best = max((entry for entry in node.read("/proc/crypto").split("\n\n")
                if ": gcm(aes)" in entry),
               key=lambda entry: int(entry.split("priority")[1].split()[1]), default="")
    return best.split("driver")[1].split()[1] if best else "unknown"


def bench_encryption(_, report):
    """The same calls with kTLS and, between two other nodes, without."""
    with cluster_of(2, "encrypted") as with_tls, cluster_of(2, "plain", insecure=True) as without:
        note = f"AES-256-GCM by {cipher(with_tls[1])}"
        for request, reply in ((64, 64), (64, 4096)):
            ours, theirs = interleaved(
                *(lambda c=c: echo(c[1], c[2], request, reply) for c in (with_tls, without)))
            report.add(f"RPC of {request} bytes, reply of {reply}, kTLS", statistics.median(ours), "ns",
                       "holon.insecure=1", statistics.median(theirs), samples=len(ours), note=note)
        ours, theirs = interleaved(
            *(lambda c=c: sink(c[1], c[2], 65536, 128) for c in (with_tls, without)), turns=9)
        report.add("BULK, messages of 64 KiB, kTLS", statistics.median(ours) / 1e6, "MB/s",
                   "holon.insecure=1", statistics.median(theirs) / 1e6, samples=len(ours))


def exchange(node):
    """ns for an exchange of X25519 in user space: key pair and shared secret, both sides."""
    text = node.out("openssl speed -mr -seconds 1 ecdhx25519 2>/dev/null")
    line = next(line for line in text.splitlines() if line.startswith("+F5:"))
    # +F5:which:bits:operations per second:...
    return [4e9 / float(line.split(":")[3])]


def bench_handshakes(pair, report):
    """One for each of the five connections between two nodes; see net/holon/auth_bench.c."""
    node = pair.get()[1]

    def handshakes():
        node.run(f"echo {SAMPLES} >{DEBUG}/handshake", timeout=300)
        return numbers(node.out(["cat", f"{DEBUG}/handshake"]), SAMPLES)

    ours, theirs = interleaved(handshakes, lambda: exchange(node))
    took = statistics.median(ours)
    report.add("handshake, what both nodes compute", took, "ns",
               "openssl, four operations of X25519", statistics.median(theirs), samples=len(ours),
               note=f"{1e9 / took:.0f} per second and processor, or {2e9 / took:.0f} when only one "
                    f"half is ours; {len(theirs)} samples of openssl")


def bench_views(_, report):
    """From the kill of a node to the view without it, as the consoles of the others tell."""
    installed, resumed = [], []
    with cluster_of(3, "views", fd_ms=FD_MS) as cluster:
        fd_ms = cluster.fd_ms
        for _ in range(KILLS):
            epoch = cluster.wait_view({1, 2, 3}) + 1
            marks = {ident: cluster[ident].console.mark() for ident in (1, 2)}
            killed = time.monotonic()
            cluster.kill(3)
            for times, word in ((installed, "installed"), (resumed, "2 members.*resumed")):
                for ident, mark in marks.items():
                    pattern = f"view {epoch}: {word}"
                    cluster[ident].wait_console(pattern, since=mark, timeout=120)
                    times.append(next(t for t, line in cluster[ident].console.lines[mark:]
                                      if f"view {epoch}: " in line and word.split(".*")[-1] in line)
                                 - killed)
            cluster.revive(3)
    for what, times in (("is installed", installed), ("has resumed", resumed)):
        report.add(f"from the kill of a node until the next view {what}",
                   1000 * statistics.median(times), "ms", "T_fd (holon.fd_ms)", fd_ms,
                   samples=len(times),
                   note=f"from {1000 * min(times):.0f} to {1000 * max(times):.0f} ms; the last "
                        "heartbeat was heard up to 250 ms before the kill")


def used(node):
    """(ns of a processor of the host, packets, bytes) of a node since its start."""
    ns = sum(int(Path(task, "schedstat").read_text().split()[0])
             for task in Path(f"/proc/{node.pid}/task").iterdir())
    net = "/sys/class/net/eth0/statistics"
    packets, size = numbers(node.out(f"cd {net} && echo $(($(cat tx_packets) + $(cat rx_packets))) "
                                     "$(($(cat tx_bytes) + $(cat rx_bytes)))"), 2)
    return ns, packets, size


def bench_heartbeats(_, report):
    """What idle nodes do at the default interval, and hardly ever."""
    often, seldom = 250, 10000
    with cluster_of(3, "heartbeats") as cluster:
        for node in cluster:
            node.write("/sys/module/holon/parameters/fd_ms", "600000")
            node.write("/sys/module/holon/parameters/lease_ms", "400000")

        def idle(interval):
            for node in cluster:
                node.write("/sys/module/holon/parameters/hb_ms", str(interval))
            # Whatever the last interval has begun.
            time.sleep(1)
            node = cluster[1]
            before = used(node)
            time.sleep(IDLE)
            return [tuple((after - then) / IDLE for after, then in zip(used(node), before))]

        on, off = interleaved(lambda: idle(often), lambda: idle(seldom), turns=IDLE_TURNS)
    # Their frames are part of the reference, one in 40.
    share = 1 - often / seldom
    busy, packets, size = (
        (statistics.median(a) - statistics.median(b)) / share / 2
        for a, b in zip(zip(*on), zip(*off)))
    if packets <= 0 or size <= 0:
        raise HarnessError(f"no heartbeats on the wire: {on} against {off}")
    note = (f"{IDLE} s each, of the host under emulation; the difference is "
            f"{busy / 1e7:.2f} % of a processor, {packets:.1f} packets and {size:.0f} bytes per second "
            "and peer, both directions, with what TCP acknowledges")
    report.add(f"idle node of 3, heartbeats every {often} ms",
               statistics.median(sample[0] for sample in on) / 1e6, "ms/s", f"every {seldom} ms",
               statistics.median(sample[0] for sample in off) / 1e6, samples=len(on), note=note)
    for count in SIZES:
        report.add(f"heartbeats of a node of {count}, computed: packets", packets * (count - 1), "1/s",
                   note=f"{busy * (count - 1) / 1e7:.2f} % of an emulated processor, "
                        f"{8 * size * (count - 1) / 1e3:.0f} kbit/s")
