"""
A machine stands still for longer than the others wait: they go on without it. When
it runs again its guests are killed, and it joins as a new life of the same machine.
"""

import pytest

from probe import install, placed, ready, running
from views import APPEND, assert_one_history, wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, fresh=True, append=APPEND)


def test_a_machine_that_stands_still_too_long(cluster):
    install(cluster)
    before = wait_agreed(cluster, [1, 2, 3])
    for home, node in ((1, 2), (2, 3), (1, 3)):
        ready(cluster, home, node)
    guest = cluster[1].spawn(placed("sleep", node=2))
    deputy = cluster[2].spawn(placed("sleep", node=3))
    untouched = cluster[1].spawn(placed("sleep", node=3))
    for task in (guest, deputy, untouched):
        task.wait_output("ready")
    # A deputy is a process, too: a guest of node 1 and the deputy of one on node 3.
    assert len(running(cluster[2])) == 2
    assert len(running(cluster[3])) == 2
    life = cluster[2].read("/sys/kernel/holon/incarnation")

    cluster[2].freeze()
    after = wait_agreed(cluster, [1, 3])
    assert after.epoch == before.epoch + 1
    assert guest.wait().signal == 9
    cluster.wait_until(lambda: len(running(cluster[3])) == 1, "the guest of node 2 is gone")

    cluster[2].thaw()
    again = wait_agreed(cluster, [1, 2, 3], timeout=240)
    assert again.epoch == after.epoch + 1
    assert cluster[2].read("/sys/kernel/holon/incarnation") != life
    assert running(cluster[2]) == []
    assert deputy.wait().signal == 9
    # Those who were not concerned go on.
    assert untouched.running and len(running(cluster[3])) == 1
    ready(cluster, 1, 2)
    ready(cluster, 2, 1)
    untouched.kill()
    untouched.wait()
    assert_one_history(cluster)
