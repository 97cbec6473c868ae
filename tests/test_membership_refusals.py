"""Who is not let in, and that both sides can say why."""

import json
import uuid

import pytest

from views import APPEND, view, wait_agreed

pytestmark = pytest.mark.cluster(nodes=2, fresh=True, append=APPEND)


def _refused(node, about, pattern):
    def check():
        nodes = {entry["node"]: entry for entry in json.loads(node.out("holon -j node show"))}
        return pattern in (nodes.get(about, {}).get("reason") or "") and nodes[about]
    return check


def test_a_second_machine_with_an_id_that_is_taken(cluster):
    before = wait_agreed(cluster, [1, 2])
    # A third machine, on a port of its own, that says it is node 2.
    third = cluster._new_node(3)  # pylint: disable=protected-access
    third.uuid = uuid.uuid4()
    words = third.command_line().replace("holon.node=3", "holon.node=2")
    third.command_line = lambda: words
    third.start().wait_boot()
    assert third.read("/sys/kernel/holon/node").strip() == "2"
    cluster.wait_until(_refused(cluster[1], 2, "second machine"), "node 1 to say why")
    cluster.wait_until(_refused(third, 2, "another machine"), "the refused one to say why")
    assert view(third).state == "alone"
    assert wait_agreed(cluster, [1, 2]) == before


@pytest.mark.cluster(nodes=2, fresh=True, expect=0, append=APPEND)
def test_two_clusters_of_one_name(cluster):
    cluster.partition({1}, {2})
    for node in cluster:
        node.run("holon cluster create")
    before = [view(node) for node in cluster]
    assert before[0].cluster != before[1].cluster
    cluster.heal()
    for node, other in ((cluster[1], 2), (cluster[2], 1)):
        cluster.wait_until(_refused(node, other, "another cluster of this name"), "the reason")
    assert [view(node) for node in cluster] == before
    # The administrator dissolves one of them.
    cluster[2].run("holon node leave")
    cluster[2].run("holon node join")
    assert wait_agreed(cluster, [1, 2]).cluster == before[0].cluster
