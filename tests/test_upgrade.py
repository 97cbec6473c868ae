"""
Nodes with other ranges of protocol versions: without a version in common they are
refused, and with one a cluster is upgraded node by node while its tasks run.
"""

import pytest

from rpc_counters import DEBUG
from test_auth import wait_reason
from views import APPEND, assert_one_history, view, wait_agreed

# What both builds speak is version 1; a debug kernel can take part as one that speaks more.
NEW = "holon.protocol=1-2"


@pytest.mark.cluster(nodes=2, fresh=True, append=APPEND)
def test_no_version_in_common(cluster):
    before = wait_agreed(cluster, [1, 2])
    third = cluster.add_node(3, append=["holon.protocol=7-9"])
    for node, other in ((third, 1), (third, 2), (cluster[1], 3), (cluster[2], 3)):
        wait_reason(cluster, node, other, "no protocol version in common")
    assert view(third).state == "alone"
    assert view(cluster[1]) == before


def upgrade(cluster, ident):
    """Drain it (it has no processes of others here), leave, boot the next version, join."""
    node = cluster[ident]
    node.run("holon node leave")
    cluster.kill(ident)
    node.kernel = "debug"
    node.append = [NEW]
    cluster.revive(ident)


def between(cluster, home, there):
    """A process of @home that runs on @there and answers each line."""
    return cluster[home].spawn(f"holon run -n {there} -- sh -c "
                               "'while read line; do echo got-$line; done'", open_stdin=True)


def answer(task, text):
    task.input(f"{text}\n".encode())
    task.wait_output(f"got-{text}")


def is_debug(node):
    return node.run(f"test -e {DEBUG}/forge", check=False).status == 0


@pytest.mark.cluster(nodes=3, fresh=True, kernel="product", append=APPEND)
def test_a_rolling_upgrade(cluster):
    """From the product kernel to the debug kernel: other structures, other timing, another version."""
    first = wait_agreed(cluster, [1, 2, 3])
    assert not any(is_debug(node) for node in cluster)
    for ident in (3, 2, 1):
        others = sorted({1, 2, 3} - {ident})
        tasks = [between(cluster, *others), between(cluster, *others[::-1])]
        for task in tasks:
            answer(task, "before")
        upgrade(cluster, ident)
        wait_agreed(cluster, [1, 2, 3])
        assert is_debug(cluster[ident])
        for other in others:
            assert cluster[ident].out(f"holon run -n {other} -- echo to").strip() == "to"
            assert cluster[other].out(f"holon run -n {ident} -- echo from").strip() == "from"
        for task in tasks:
            answer(task, "after")
            task.close_input()
            assert task.wait().status == 0
    last = wait_agreed(cluster, [1, 2, 3])
    assert last.cluster == first.cluster
    # Of the last one each connection is of the new version; the one before met an old node.
    cluster[1].wait_console("node 2 is connected, protocol 2")
    cluster[1].wait_console("node 3 is connected, protocol 2")
    assert cluster[3].console.search("node 1 is connected, protocol 1")
    assert_one_history(cluster)
