"""All nodes show the same members and epoch; a further node joins a running cluster."""

import pytest

from views import APPEND, assert_one_history, view, wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, append=APPEND)


def test_three_nodes_agree(cluster):
    seen = wait_agreed(cluster, [1, 2, 3])
    assert seen.epoch == 1
    assert seen.coordinator == 1


def test_a_fourth_node_joins(cluster):
    before = wait_agreed(cluster, [1, 2, 3])
    cluster.add_node()
    after = wait_agreed(cluster, [1, 2, 3, 4])
    assert after.epoch == before.epoch + 1
    assert after.cluster == before.cluster
    assert_one_history(cluster)
    cluster.kill(4)
    assert wait_agreed(cluster, [1, 2, 3]).epoch == after.epoch + 1
    assert view(cluster[1]).cluster == before.cluster
