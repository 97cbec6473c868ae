"""
Links break in one direction, and in the middle of a view change: one part goes on,
and no epoch has two member sets.
"""

import pytest

from views import APPEND, FD_MS, assert_one_history, installed, view, wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, fresh=True, append=APPEND)

SILENCE = "/sys/module/holon/parameters/fd_ms"


def test_a_link_that_carries_one_way_only(cluster):
    before = wait_agreed(cluster, [1, 2, 3])
    # Everybody in a view hears everybody: of the two the higher goes, whoever is deaf.
    for a, b in ((2, 3), (3, 2)):
        cluster.cut(a, b, both=False)
        after = wait_agreed(cluster, [1, 2])
        assert after.epoch == before.epoch + 1
        cluster.heal()
        before = wait_agreed(cluster, [1, 2, 3], timeout=240)
    # And the leader of views may be deaf, too.
    cluster.cut(2, 1, both=False)
    after = wait_agreed(cluster, [1, 3])
    assert after.epoch == before.epoch + 1
    cluster.heal()
    wait_agreed(cluster, [1, 2, 3], timeout=240)
    assert_one_history(cluster)


@pytest.mark.cluster(nodes=2, fresh=True, append=APPEND)
def test_two_nodes_of_which_one_is_deaf(cluster):
    """Node 1 hears node 2 all the time, and goes on without it all the same."""
    before = wait_agreed(cluster, [1, 2])
    mark = cluster[1].console.mark()
    cluster.cut(1, 2, both=False)
    cluster.wait_until(lambda: view(cluster[2]).state == "frozen", "node 2 to freeze")
    after = wait_agreed(cluster, [1])
    assert after.epoch == before.epoch + 1
    # By what node 2 says, not because TCP has given up.
    first = cluster[1].console.search("suspecting 2$|node 2: lanes broken", since=mark)
    assert first[0] == "suspecting 2"
    cluster.heal()
    wait_agreed(cluster, [1, 2], timeout=240)
    assert_one_history(cluster)


def test_a_commit_that_is_lost_with_its_link(cluster):
    """
    Why a two-phase commit is not enough: 1 agrees with 2 on {1,2} and installs it, 2 does
    not learn so. If 2 then agreed with 3 on {2,3}, there would be two views of one epoch.
    """
    before = wait_agreed(cluster, [1, 2, 3])
    # Node 3 must not propose anything before node 1 does.
    cluster[3].write(SILENCE, "600000")
    cluster.switch.delay(1, 2, FD_MS / 4)
    mark = cluster[1].console.mark()
    cluster.cut(1, 3)
    cluster[1].wait_console(f"view {before.epoch + 1}: installed", since=mark)
    # The commit is under way to node 2.
    cluster.cut(1, 2)
    assert installed(cluster[1], mark) == {before.epoch + 1: {1, 2}}
    assert view(cluster[2]).epoch == before.epoch
    cluster[3].write(SILENCE, str(FD_MS))

    # Node 1 is half of its view, with the lowest id.
    assert wait_agreed(cluster, [1]).epoch == before.epoch + 2
    # Node 2 has voted for {1,2}: that is what it must finish, and it is no quorum of it.
    cluster[2].wait_console(f"view {before.epoch + 1}: installed, 2 members 1-2", timeout=120)
    cluster.wait_until(lambda: view(cluster[2]).state == "frozen", "node 2 to freeze")
    cluster.wait_until(lambda: view(cluster[3]).state in ("alone", "joining"), "node 3 to be out")
    assert view(cluster[1]).members == {1}
    assert_one_history(cluster)
    cluster.heal()
    after = wait_agreed(cluster, [1, 2, 3], timeout=240)
    assert after.cluster == before.cluster
    assert_one_history(cluster)
