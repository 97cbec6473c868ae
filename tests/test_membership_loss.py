"""The death of any node changes the view once, the same everywhere; a rebooted node joins again."""

import random

import pytest

from views import APPEND, assert_one_history, wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, fresh=True, append=APPEND)


def _others(dead):
    return sorted({1, 2, 3} - {dead})


def test_a_death_changes_the_view_once(cluster):
    before = wait_agreed(cluster, [1, 2, 3])
    # The coordinator, and one that is not.
    for dead in (1, 3):
        cluster.kill(dead)
        after = wait_agreed(cluster, _others(dead))
        assert after.epoch == before.epoch + 1
        cluster.revive(dead)
        again = wait_agreed(cluster, [1, 2, 3])
        assert again.epoch == after.epoch + 1
        assert again.cluster == before.cluster
        before = again
    assert_one_history(cluster)


def test_a_node_that_is_back_before_it_was_missed(cluster):
    before = wait_agreed(cluster, [1, 2, 3])
    for node in cluster:
        # Nobody would be missed for a long time.
        node.write("/sys/module/holon/parameters/fd_ms", "120000")
    mark = cluster[1].console.mark()
    cluster[2].reboot()
    after = wait_agreed(cluster, [1, 2, 3])
    # One view without the old life, one with the new.
    assert after.epoch == before.epoch + 2
    cluster[1].wait_console("node 2 has rebooted|node 2: lanes broken", since=mark)
    assert_one_history(cluster)


def _rounds(cluster, count):
    rng = random.Random(cluster.seed)
    wait_agreed(cluster, [1, 2, 3])
    for _ in range(count):
        dead = rng.choice([1, 2, 3])
        if rng.random() < 0.5:
            cluster.kill(dead)
            if rng.random() < 0.5:
                wait_agreed(cluster, _others(dead))
            cluster.revive(dead)
        else:
            cluster[dead].reboot()
        wait_agreed(cluster, [1, 2, 3], timeout=240)
    assert_one_history(cluster)


def test_random_kills_and_reboots(cluster):
    _rounds(cluster, 5)


@pytest.mark.long
def test_many_random_kills_and_reboots(cluster):
    _rounds(cluster, 30)
