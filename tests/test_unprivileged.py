"""
What an ordinary user of a member may do to the cluster: look. Whatever else it tries with
the ports, the control plane and the files changes nothing.
"""

import re
import subprocess
from pathlib import Path

import pytest

from harness import config
from rpc_counters import rpc
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=2, fresh=True)

USER = 1000
PORT = 29477
EPERM, EOPNOTSUPP, EADDRINUSE, EADDRNOTAVAIL = 1, 95, 98, 99
SOURCE = Path(__file__).parent / "programs" / "unprivileged.c"
UAPI = config.REPO / "kernel/include/uapi/linux/holon.h"
CHANGES = ("CLUSTER_CREATE", "CLUSTER_JOIN", "CLUSTER_LEAVE", "NODE_SET", "NODE_EVICT",
           "FACTS_SET", "KEY_SET")


def _numbers():
    """Number of every command."""
    text = UAPI.read_text()
    names = re.findall(r"^\tHOLON_CMD_(\w+)(?: = 1)?,", text, re.M)
    return {name: number for number, name in enumerate(names, 1)}


def _install(cluster):
    subprocess.run(["cc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-o",
                    cluster.home / "unprivileged", SOURCE],
                   check=True, timeout=config.limit(120))


def _requests(cluster, count):
    before = wait_agreed(cluster, [1, 2])
    _install(cluster)
    seed = cluster.seed
    out = cluster[1].out(f"/home/unprivileged {seed} {count}", uid=USER, timeout=900)
    *lines, last = out.splitlines()
    assert last == f"random {count}", f"seed {seed}: {out}"
    commands = {number: rest for number, *rest in (map(int, line.split()) for line in lines)}
    for name in CHANGES:
        _, do, dump = commands[_numbers()[name]]
        assert do == EPERM and dump == EOPNOTSUPP, (name, do, dump)
    assert wait_agreed(cluster, [1, 2]) == before


def test_requests_to_the_control_plane(cluster):
    _requests(cluster, 5000)


@pytest.mark.long
def test_many_requests_to_the_control_plane(cluster):
    _requests(cluster, 500000)


def test_files(cluster):
    before = wait_agreed(cluster, [1, 2])
    node = cluster[1]
    # All that shows the state may be read, and nothing of it written.
    files = node.out("ls /sys/kernel/holon", uid=USER).split()
    assert {"state", "epoch", "members"} <= set(files)
    assert node.run("cat /sys/kernel/holon/*", uid=USER).out
    parameters = node.out("ls -d /sys/module/holon/parameters/*").split()
    assert "/sys/module/holon/parameters/fd_ms" in parameters
    for file in [f"/sys/kernel/holon/{name}" for name in files] + parameters:
        result = node.run(f"echo 1 > {file}", uid=USER, check=False)
        assert "ermission denied" in result.err, f"{file}: {result}"
    for command in ("ls /sys/kernel/debug/holon", "cat /sys/kernel/debug/holon/rpc",
                    "echo stop > /sys/kernel/debug/holon/stress", "cat /dev/holon-spawner",
                    "echo > /sys/kernel/debug/holon/forge"):
        result = node.run(command, uid=USER, check=False)
        assert "ermission denied" in result.err, f"{command}: {result}"
    assert wait_agreed(cluster, [1, 2]) == before


def test_ports(cluster):
    before = wait_agreed(cluster, [1, 2])
    strangers = rpc(cluster[2])["transport.strangers"]
    # Bytes to every node: counted, and dropped.
    for address in (cluster[1].address, cluster[2].address, "127.0.0.1"):
        cluster[1].run(f"for i in 1 2 3 4 5; do head -c 2000 /dev/urandom | nc -w 60 {address} {PORT};"
                       " done; true", uid=USER)
    cluster.wait_until(lambda: rpc(cluster[2])["transport.strangers"] == strangers + 5,
                       "five connections are counted")
    # The port is taken, on all addresses and for both protocols.
    _install(cluster)
    task = cluster[1].spawn(["/home/unprivileged", "ports", PORT, cluster[1].address, "0.0.0.0",
                             "127.0.0.1", cluster[2].address], uid=USER, open_stdin=True)
    task.wait_output("holding")
    for line in task.stdout.decode().splitlines()[:-1]:
        kind, address, _, error = line.split()
        if address == cluster[2].address:
            assert int(error) == EADDRNOTAVAIL, line
        elif (kind, address) != ("tcp", "127.0.0.1"):
            assert int(error) == EADDRINUSE, line
    assert wait_agreed(cluster, [1, 2]) == before
    # And whoever comes is let in, as before.
    cluster.add_node()
    wait_agreed(cluster, [1, 2, 3])
    task.close_input()
    assert task.wait().status == 0
