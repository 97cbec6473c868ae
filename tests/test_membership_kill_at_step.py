"""
The coordinator dies in the middle of a view change, after each of its steps: the
others end in one view, and no epoch was installed with two member sets.
"""

import pytest

from views import APPEND, assert_one_history, wait_agreed

POINTS = ["suspect", "prepare", "promise", "accept", "accepted", "commit", "install", "flush",
          "step", "resume"]
# Together they cover: nobody knows, some have accepted, one has installed, all have.
QUICK = [("accept", "reboot"), ("commit", "halt"), ("flush", "reboot")]

pytestmark = pytest.mark.cluster(nodes=3, fresh=True, append=APPEND)


def _one_view_after(cluster, point, action):
    before = wait_agreed(cluster, [1, 2, 3])
    coordinator = cluster[1]
    coordinator.write("/sys/kernel/debug/holon/view_fault", f"{point} {action}\n")
    mark = coordinator.console.mark()
    hellos = (coordinator.agent.hellos + 1, coordinator.terminal.hellos + 1)
    # A joiner is the reason for the change: two of three stay when the coordinator is gone.
    cluster.add_node(4)
    coordinator.wait_console(f"fault at {point}", timeout=120, since=mark)
    if action == "halt":
        cluster.kill(1)
        wait_agreed(cluster, [2, 3, 4], timeout=300)
        cluster.revive(1)
    else:
        coordinator.wait_boot(hellos)
    after = wait_agreed(cluster, [1, 2, 3, 4], timeout=300)
    assert after.epoch > before.epoch
    assert after.cluster == before.cluster
    assert_one_history(cluster)


@pytest.mark.parametrize("point,action", QUICK)
def test_the_coordinator_dies(cluster, point, action):
    _one_view_after(cluster, point, action)


@pytest.mark.long
@pytest.mark.parametrize("action", ["halt", "reboot"])
@pytest.mark.parametrize("point", POINTS)
def test_the_coordinator_dies_at_every_step(cluster, point, action):
    _one_view_after(cluster, point, action)
