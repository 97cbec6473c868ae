"""A cluster made by hand: one node creates it, others join and leave."""

import json

import pytest

pytestmark = pytest.mark.cluster(nodes=2, expect=0)


def members(node):
    return json.loads(node.out("holon -j cluster show"))["members"]


def test_create_join_leave(cluster):
    one, two = cluster[1], cluster[2]
    assert members(one) == members(two) == []
    # `create` ends when the first view is in force, so there is nothing to wait for.
    one.run("holon cluster create")
    assert 1 in members(one)
    result = one.run("holon cluster create", check=False)
    assert result.status == 1 and result.err.startswith("holon: ")
    # A node that was told the name at boot, and never left, joins by itself.
    cluster.wait_until(lambda: members(one) == members(two) == [1, 2], "both are members")
    assert json.loads(one.out("holon -j cluster"))["uuid"] == \
        json.loads(two.out("holon -j cluster"))["uuid"]
    two.run("holon node leave")
    cluster.wait_until(lambda: members(one) == [1] and members(two) == [], "node 2 has left")
    result = two.run("holon cluster leave", check=False)
    assert result.status == 1 and result.err.startswith("holon: ")
    # After that it has to be told.
    two.run("holon node join")
    assert members(two) == [1, 2]
    cluster.wait_until(lambda: members(one) == [1, 2], "node 2 is back")


@pytest.mark.cluster(nodes=1, expect=0)
def test_a_cluster_that_is_not_there(cluster):
    result = cluster[1].run("holon node join cluster nobody", check=False)
    assert result.status == 1
    assert result.err.startswith("holon: ")
    assert members(cluster[1]) == []
