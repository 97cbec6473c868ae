"""
The coordinator dies in the middle of a view change, after each of its steps: the
others end in one view, and no epoch was installed with two member sets.
"""

import pytest

from views import APPEND, assert_one_history, wait_agreed

POINTS = ["suspect", "prepare", "promise", "accept", "accepted", "commit", "install", "flush",
          "step", "resume"]

pytestmark = pytest.mark.cluster(nodes=4, fresh=True, append=APPEND)


def _round(cluster, point, action):
    """Node 1 dies at @point of the view change by which node 4 joins."""
    # Three are left, and two of them knew the last view: the others can go on.
    cluster[4].run("holon node leave")
    before = wait_agreed(cluster, [1, 2, 3])
    coordinator = cluster[1]
    coordinator.write("/sys/kernel/debug/holon/view_fault", f"{point} {action}\n")
    mark = coordinator.console.mark()
    hellos = (coordinator.agent.hellos + 1, coordinator.terminal.hellos + 1)
    join = cluster[4].spawn("holon node join")
    coordinator.wait_console(f"fault at {point}", timeout=120, since=mark)
    if action == "halt":
        cluster.kill(1)
        wait_agreed(cluster, [2, 3, 4], timeout=300)
        cluster.revive(1)
    else:
        coordinator.wait_boot(hellos)
    after = wait_agreed(cluster, [1, 2, 3, 4], timeout=300)
    assert join.wait().status == 0
    assert after.epoch > before.epoch
    assert after.cluster == before.cluster


def test_the_coordinator_dies(cluster):
    wait_agreed(cluster, [1, 2, 3, 4])
    # Some have accepted; one has installed; all have, and the markers were exchanged.
    for point, action in (("accept", "reboot"), ("commit", "halt"), ("flush", "reboot")):
        _round(cluster, point, action)
    assert_one_history(cluster)


@pytest.mark.long
@pytest.mark.parametrize("action", ["halt", "reboot"])
def test_the_coordinator_dies_at_every_step(cluster, action):
    wait_agreed(cluster, [1, 2, 3, 4])
    for point in POINTS:
        _round(cluster, point, action)
    assert_one_history(cluster)
