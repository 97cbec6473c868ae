"""The static program tests/programs/wire.c, in /home/bin of a cluster: a stranger on the wire."""

import subprocess
from pathlib import Path

from harness import config

PORT = 29477
WIRE = "/home/bin/wire"
SOURCE = Path(__file__).parent / "programs" / "wire.c"


def install(cluster):
    """Compile it into the directory that is /home on the nodes."""
    target = cluster.home / "bin" / "wire"
    target.parent.mkdir(exist_ok=True)
    subprocess.run(["cc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-o", target, SOURCE],
                   check=True, timeout=config.limit(120))


def send(node, address, payloads):
    """
    Send each payload on a connection of its own, from ports that nodes use. Return: how many
    bytes came back on each before the other side closed it, in any order.
    """
    count = 0
    for count, payload in enumerate(payloads, 1):
        node.write(f"/tmp/wire{count}", payload)
    # Half a handshake is waited for: some at a time.
    lines = node.out(f"ls /tmp/wire* | xargs -n 1 -P 8 {WIRE} send {address} {PORT}",
                     timeout=900).split()
    node.run("rm -f /tmp/wire*")
    assert len(lines) == count
    return [int(line) for line in lines]
