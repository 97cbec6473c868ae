"""Three nodes found, join and leave a cluster by command; the lowest may leave, too."""

import pytest

from views import APPEND, assert_one_history, view, wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, expect=0, fresh=True, append=APPEND)


def test_a_cluster_by_command(cluster):
    for node in cluster:
        assert view(node).state == "alone"
    cluster[1].run("holon cluster create")
    # Whoever has the name and is in no cluster joins what it hears.
    first = wait_agreed(cluster, [1, 2, 3])
    assert cluster[2].run("holon cluster create", check=False).status == 1

    cluster[3].run("holon node leave")
    assert view(cluster[3]).state == "alone"
    second = wait_agreed(cluster, [1, 2])
    assert second.epoch == first.epoch + 1
    # The lowest may leave two as well.
    cluster[1].run("holon node leave")
    third = wait_agreed(cluster, [2])
    assert third.epoch == second.epoch + 1
    for ident in (3, 1):
        cluster[ident].run("holon node join")
    assert wait_agreed(cluster, [1, 2, 3]).cluster == first.cluster
    assert_one_history(cluster)
