"""The harness notices what it is there to notice: each test provokes one fault."""

import re

import pytest

from harness import config
from harness.errors import CommandFailed, NodeGone, NodePanicked, TimedOut, VerdictError

PROVOKE = "/sys/kernel/debug/holon/provoke"
pytestmark = pytest.mark.cluster(nodes=1, expect=0)


def caught(cluster, pattern):
    """The verdict names @pattern; then it is declared, so that this test passes."""
    with pytest.raises(VerdictError, match=pattern) as info:
        cluster.verdict()
    for line in str(info.value).splitlines():
        cluster.allow(re.escape(line.partition(": ")[2]))
    cluster.allow_taint = True


def test_a_clean_node_gets_a_clean_verdict(cluster):
    cluster.verdict()


def test_a_command_that_does_not_end_is_killed(cluster):
    with pytest.raises(CommandFailed, match="a timeout"):
        cluster[1].run("sleep 100000; true", timeout=1)
    assert cluster[1].run(["pidof", "sleep"], check=False).status == 1


def test_a_wait_that_is_never_fulfilled_ends(cluster):
    with pytest.raises(TimedOut, match="no console line 'never printed'"):
        cluster[1].wait_console("never printed", timeout=1 / config.SLOW)
    with pytest.raises(TimedOut, match="something impossible"):
        cluster.wait_until(lambda: False, "something impossible", timeout=1 / config.SLOW)
    task = cluster[1].spawn(["sleep", "100000"])
    with pytest.raises(TimedOut, match="no output 'x'"):
        task.wait_output("x", timeout=1 / config.SLOW)
    task.kill()
    assert task.wait().signal == 9


def test_a_stuck_test_is_ended(pytester_run):
    status, output = pytester_run("""
        import threading
        import pytest

        @pytest.mark.limit(1)
        def test_stuck():
            threading.Event().wait()
    """)
    assert status == 1
    assert "TimedOut" in output and "1 failed" in output


def test_a_declared_complaint_is_not_held_against_a_test(cluster):
    cluster[1].write("/dev/kmsg", "BUG: a test said so\n")
    cluster[1].wait_console("a test said so")
    with pytest.raises(VerdictError, match="BUG: a test said so"):
        cluster.verdict()
    cluster.allow("a test said so")
    cluster.verdict()


@pytest.mark.cluster(nodes=1, expect=0, fresh=True)
def test_complaints_of_the_kernel_and_its_taint_are_caught(cluster):
    for fault, pattern in (
            ("atomic-sleep", "BUG: sleeping function called from invalid context"),
            # Last: lockdep turns itself off when it has found something.
            ("lock-order", "WARNING: possible circular locking dependency")):
        since = cluster[1].console.mark()
        cluster[1].write(PROVOKE, fault)
        cluster[1].wait_console("</TASK>", since=since)
        caught(cluster, pattern)
    cluster.allow_taint = False
    cluster[1].write(PROVOKE, "warning")
    cluster[1].wait_console("end trace")
    # A warning sets the flag W, 512.
    caught(cluster, "kernel tainted: 0x200")


@pytest.mark.cluster(nodes=1, expect=0, fresh=True, append=["kmemleak=on"])
def test_a_leak_is_caught(cluster):
    assert cluster[1].leaks() == ""
    cluster[1].write(PROVOKE, "leak")
    leaks = cluster[1].leaks()
    assert "unreferenced object" in leaks
    assert "provoke_leak" in leaks
    # kmemleak says on the console how many it has found.
    caught(cluster, "kmemleak: [0-9]+ new suspected memory leaks")


@pytest.mark.cluster(nodes=3, expect=0, fresh=True)
def test_a_node_that_panics_is_gone_or_is_frozen_is_caught(cluster):
    tasks = [node.spawn(["sleep", "100000"]).wait_started() for node in cluster]
    with pytest.raises(NodePanicked):
        cluster[2].run("echo c > /proc/sysrq-trigger")
    with pytest.raises(NodePanicked):
        tasks[1].wait()
    cluster[2].wait_console("end Kernel panic")
    with pytest.raises(NodePanicked):
        cluster[2].run(["true"])
    # Not through the cluster: a kill the test did not declare.
    cluster[1].kill()
    with pytest.raises(NodeGone):
        tasks[0].wait()
    cluster[3].freeze()
    with pytest.raises(VerdictError) as info:
        cluster.verdict()
    assert "node1: QEMU is gone" in str(info.value)
    assert "node2: panicked" in str(info.value)
    assert "Kernel panic - not syncing: sysrq triggered crash" in str(info.value)
    assert "node3: left frozen" in str(info.value)
    cluster[3].thaw()
    cluster[3].run(["true"])
    cluster.kill(1)
    cluster.kill(2)
    cluster.allow("")
    cluster.verdict()


@pytest.mark.cluster(nodes=2, expect=0, fresh=True)
def test_a_node_comes_back(cluster):
    before = cluster[1].out("cat /proc/sys/kernel/random/boot_id")
    task = cluster[1].spawn(["sleep", "100000"])
    cluster[1].reset()
    with pytest.raises(NodeGone):
        task.wait()
    reset = cluster[1].out("cat /proc/sys/kernel/random/boot_id")
    cluster[1].reboot()
    rebooted = cluster[1].out("cat /proc/sys/kernel/random/boot_id")
    cluster.kill(1)
    cluster.revive(1)
    revived = cluster[1].out("cat /proc/sys/kernel/random/boot_id")
    assert len({before, reset, rebooted, revived}) == 4
    for node in (cluster[1], cluster.add_node()):
        node.run(["ping", "-c", "1", "-W", "30", cluster[2].address])
