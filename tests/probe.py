"""The static program tests/programs/probe.c, in /home/bin of a cluster."""

import subprocess
from pathlib import Path

from harness import config

PROBE = "/home/bin/probe"
SOURCE = Path(__file__).parent / "programs" / "probe.c"


def install(cluster):
    """Compile it into the directory that is /home on the nodes, once."""
    target = cluster.home / "bin" / "probe"
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        subprocess.run(["cc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-o", target,
                        SOURCE], check=True, timeout=config.limit(120))


def ready(cluster, home=1, node=2):
    """Wait until @node has a container for processes of @home."""
    def works():
        return cluster[home].run(["holon", "run", "-n", node, "--", "true"],
                                 check=False).status == 0
    cluster.wait_until(works, f"node {node} takes processes of node {home}", timeout=120)


def all_ready(cluster, home=1):
    """The same of all other nodes."""
    for node in cluster:
        if node.id != home:
            ready(cluster, home, node.id)


def placed(*words, node=2):
    """The command line of the probe on @node."""
    return ["holon", "run", "-n", str(node), "--", PROBE, *map(str, words)]


def state(node, pid):
    """The letter in /proc/PID/status, "" when there is no such process."""
    return node.run(f"sed -n 's/^State:.//p' /proc/{pid}/status 2>/dev/null",
                    check=False).out[:1]


def running(node):
    """Pids, in the node's own numbers, of the probes that run there."""
    lines = node.out("ps").splitlines()
    return [int(line.split()[0]) for line in lines if " " + PROBE in line]
