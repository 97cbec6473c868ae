"""Only a part of the cluster that holds a quorum goes on; a machine that stood still is not blamed."""

import json

import pytest

from views import APPEND, FD_MS, assert_one_history, view, wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, fresh=True, append=APPEND)


def test_the_smaller_part_freezes_and_comes_back_as_new(cluster):
    before = wait_agreed(cluster, [1, 2, 3])
    life = cluster[1].read("/sys/kernel/holon/incarnation")
    cluster.partition({1}, {2, 3})
    after = wait_agreed(cluster, [2, 3])
    assert after.epoch == before.epoch + 1
    cluster.wait_until(lambda: view(cluster[1]).state == "frozen", "node 1 to see that it is cut off")
    cluster.heal()
    again = wait_agreed(cluster, [1, 2, 3], timeout=240)
    assert again.epoch == after.epoch + 1
    assert cluster[1].read("/sys/kernel/holon/incarnation") != life
    assert_one_history(cluster)


def test_two_that_do_not_hear_each_other(cluster):
    before = wait_agreed(cluster, [1, 2, 3])
    cluster.cut(2, 3)
    # Everybody in a view hears everybody: the higher of the two goes.
    after = wait_agreed(cluster, [1, 2])
    assert after.epoch == before.epoch + 1
    cluster.heal()
    wait_agreed(cluster, [1, 2, 3], timeout=240)
    assert_one_history(cluster)


def test_a_short_stop_of_a_machine_changes_nothing(cluster):
    before = wait_agreed(cluster, [1, 2, 3])
    mark = cluster[1].console.mark()
    for node in cluster:
        node.write("/sys/module/holon/parameters/fd_ms", str(20 * FD_MS))
    cluster[2].freeze()
    # The others count heartbeats that do not come: at least eight of them.
    cluster.wait_until(lambda: _silence(cluster[1], 2) > 2000, "silence")
    cluster[2].thaw()
    cluster.wait_until(lambda: _silence(cluster[1], 2) < 1000, "node 2 to be heard again")
    assert wait_agreed(cluster, [1, 2, 3]) == before
    assert not cluster[1].console.search("suspecting", since=mark)


def _silence(node, about):
    return json.loads(node.out(f"holon -j node show id {about}"))["heard-ms"]


@pytest.mark.cluster(nodes=2, fresh=True, append=APPEND)
def test_of_two_nodes_the_lower_goes_on_alone(cluster):
    before = wait_agreed(cluster, [1, 2])
    cluster.kill(2)
    assert wait_agreed(cluster, [1]).epoch == before.epoch + 1
    cluster.revive(2)
    wait_agreed(cluster, [1, 2])
    cluster.kill(1)
    cluster.wait_until(lambda: view(cluster[2]).state == "frozen", "node 2 to freeze")
    # It cannot know that node 1 did not go on: that is for the administrator to say.
    cluster.revive(1)
    assert cluster[2].run("holon node leave", check=False).status == 1
    cluster[2].run("holon node leave force")
    # That asks it to stay out until it is told to join.
    assert view(cluster[2]).state == "alone"
    cluster[1].run("holon cluster create")
    cluster[2].run("holon node join")
    wait_agreed(cluster, [1, 2])
