"""A thousand processes away from home at once, on three nodes with 1 GiB each."""

import pytest

from probe import all_ready
from runs import nothing_left, usage
from views import wait_agreed

EACH = 334
# Node -> where its processes run.
NEXT = {1: 2, 2: 3, 3: 1}

BEGIN = """
for i in $(seq {count}); do holon run -n {target} -- sleep 100000 & done
echo begun
wait
echo ended
"""


def count(node, command):
    return int(node.run(command, check=False, timeout=300).out)


def away(node):
    """Of the processes of @node."""
    return count(node, f"holon task show | awk '$2 == {node.id} && $4 == \"away\"' | wc -l")


@pytest.mark.cluster(nodes=3, image="root", append=["slab_nomerge"], fresh=True)
@pytest.mark.limit(3600)
def test_a_thousand_at_once(cluster):
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    for home, target in NEXT.items():
        cluster[home].run(f"holon run -n {target} -- true")
    before = {node.id: usage(node) for node in cluster}

    shells = {home: cluster[home].spawn(["bash", "-c", BEGIN.format(count=EACH, target=target)])
              for home, target in NEXT.items()}
    for home in NEXT:
        cluster.wait_until(lambda home=home: away(cluster[home]) == EACH,
                           f"all of node {home} are away", timeout=900)
    for node in cluster:
        # Its own deputies, and its guests: nobody has more.
        assert count(node, "pgrep -cx sleep") == 2 * EACH

    for home in NEXT:
        cluster[home].run("pkill -x sleep", timeout=300)
    for home, shell in shells.items():
        result = shell.wait(timeout=900)
        assert result.status == 0 and result.out == "begun\nended\n", (home, result)
    nothing_left(cluster, before)
