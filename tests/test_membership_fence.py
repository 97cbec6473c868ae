"""holon.fence= says that a machine is off; with holon.quorum=one the last one goes on then."""

import json

import pytest

from probe import install, placed, ready, running
from views import APPEND, view, wait_agreed

FENCE = ["holon.fence=/tmp/fence"]
ONE = FENCE + ["holon.quorum=one"]


def fence(node, status):
    """What the fence command of @node does from now on: note its arguments, and say @status."""
    node.write("/tmp/fence.new", f"#!/bin/sh\necho $* >> /tmp/fenced\nexit {status}\n")
    node.run("chmod 755 /tmp/fence.new && mv /tmp/fence.new /tmp/fence")


def result_of(node, about):
    return json.loads(node.out(f"holon -j node show id {about}")).get("fence-command")


@pytest.mark.cluster(nodes=2, fresh=True, append=APPEND + ONE)
def test_the_last_one_goes_on_when_the_other_is_off(cluster):
    install(cluster)
    before = wait_agreed(cluster, [1, 2])
    assert json.loads(cluster[2].out("holon -j cluster show"))["survives-loss-of"] == [1, 2]
    life = cluster[1].read("/sys/kernel/holon/incarnation").strip()
    uuid = json.loads(cluster[2].out("holon -j node show id 1"))["uuid"]
    ready(cluster)
    guest = cluster[1].spawn(placed("sleep"))
    guest.wait_output("ready")
    fence(cluster[2], 1)
    cluster.kill(1)
    cluster.wait_until(lambda: result_of(cluster[2], 1) == "exit 1", "the fence command fails")
    assert view(cluster[2])[:2] == ("frozen", before.epoch)
    assert len(running(cluster[2])) == 1
    assert cluster[2].read("/tmp/fenced") == f"1 {uuid} {life}\n"
    fence(cluster[2], 0)
    after = wait_agreed(cluster, [2])
    assert after.epoch == before.epoch + 1 and after.cluster == before.cluster
    assert result_of(cluster[2], 1) == "exit 0"
    cluster.wait_until(lambda: not running(cluster[2]), "what the other had here has ended")
    # What was switched off comes back as new.
    cluster.revive(1)
    assert wait_agreed(cluster, [1, 2]).cluster == before.cluster
    ready(cluster)


@pytest.mark.cluster(nodes=3, fresh=True, append=APPEND + FENCE)
def test_a_lost_member_is_switched_off_by_the_coordinator(cluster):
    wait_agreed(cluster, [1, 2, 3])
    for node in cluster:
        fence(node, 0)
    # It leaves: that is no loss.
    cluster[3].run("holon node leave")
    wait_agreed(cluster, [1, 2])
    cluster[3].run("holon node join")
    wait_agreed(cluster, [1, 2, 3])
    cluster.kill(3)
    wait_agreed(cluster, [1, 2])
    cluster[1].wait_console("node 3: its last life has certainly ended: the fence command")
    assert cluster[1].read("/tmp/fenced").startswith("3 ")
    cluster[2].wait_console("node 3: its last life has certainly ended: its lease is over")
    assert cluster[2].run("ls /tmp/fenced", check=False).status == 1


@pytest.mark.cluster(nodes=1, append=["holon.quorum=one"])
def test_the_last_man_needs_a_fence_command(cluster):
    assert cluster[1].console.search("holon.quorum=one needs holon.fence=: majority it is")
    wait_agreed(cluster, [1])
    assert json.loads(cluster[1].out("holon -j cluster show"))["quorum"] == "majority"


@pytest.mark.cluster(nodes=1, append=["holon.quorum=witness:10.0.0.9"] + FENCE)
def test_there_is_no_witness_yet(cluster):
    assert cluster[1].console.search("holon.quorum=witness: is not supported yet")
    wait_agreed(cluster, [1])
    assert json.loads(cluster[1].out("holon -j cluster show"))["quorum"] == "majority"


@pytest.mark.long
@pytest.mark.cluster(nodes=2, fresh=True, append=APPEND + ONE)
def test_a_fence_command_that_hangs_is_killed(cluster):
    wait_agreed(cluster, [1, 2])
    cluster[2].write("/tmp/fence", "#!/bin/sh\nsleep 100000\n")
    cluster[2].run("chmod 755 /tmp/fence")
    cluster.kill(1)
    cluster.wait_until(lambda: result_of(cluster[2], 1) == "killed, it took too long",
                       "the command is killed", timeout=300)
    assert "sleep 100000" not in cluster[2].out("ps")
    fence(cluster[2], 0)
    wait_agreed(cluster, [2], timeout=300)
