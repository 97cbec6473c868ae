"""What goes wrong with holon run is said as a shell says it, with its exit codes and a sentence."""

import pytest

from runs import there

pytestmark = pytest.mark.cluster(nodes=2)


def refused(cluster, command, status, sentence, **options):
    """@command, a line for sh, ends with @status and says @sentence."""
    result = cluster[1].run(command, check=False, cwd="/home", **options)
    assert result.status == status, f"{command}: {result}"
    assert sentence in result.err, f"{command}: {result}"
    assert result.err.startswith("holon: ") and result.err.count("\n") <= 2


@pytest.fixture(autouse=True)
def formed(cluster):
    cluster.wait_view(set(cluster.nodes))


def test_a_node_that_is_not_there(cluster):
    refused(cluster, "holon run -n 77 -- true", 125, "77")
    refused(cluster, "holon run -n 0 -- true", 125, "0")
    refused(cluster, "holon run -n x -- true", 125, "x")


def test_a_command_that_is_not_found(cluster):
    refused(cluster, there(2) + "no-such-command", 127, "no-such-command: command not found")
    refused(cluster, there(2) + "/no/such/command", 127, "no such file")


def test_a_command_that_cannot_be_executed(cluster):
    cluster[1].run("echo text > /home/text; cp /bin/busybox /home/private; chmod 700 /home/private")
    refused(cluster, there(2) + "/home/text", 126, "/home/text")
    refused(cluster, there(2) + "/home", 126, "/home")
    refused(cluster, there(2) + "/home/private", 126, "ermission denied", uid=1000)


def test_a_command_that_only_this_node_has(cluster):
    cluster[1].run("cp /bin/busybox /tmp/true")
    refused(cluster, there(2) + "/tmp/true", 126, "holon.shared=")
    assert cluster[1].run("/tmp/true; holon run -n 1 -- /tmp/true").status == 0


def test_too_many_arguments(cluster):
    # At home the shell itself could not start it: busybox says 126 as well.
    result = cluster[1].run(
        "x=$(head -c 140000 /dev/zero | tr '\\0' x); holon run -n 2 -- echo $x", check=False)
    assert result.status in (126, 127), result
    assert "too long" in result.err


def test_no_command(cluster):
    assert cluster[1].run("holon run", check=False).status == 125
    assert cluster[1].run("holon run -n 2", check=False).status == 125
    assert cluster[1].run("holon run -n", check=False).status == 125


@pytest.mark.cluster(nodes=3, fresh=True)
def test_a_node_that_died(cluster):
    task = cluster[1].spawn(["holon", "run", "-n", "3", "--", "cat"], open_stdin=True)
    task.input("there\n")
    task.wait_output("there\n")
    cluster.kill(3)
    # Its guests are lost as by SIGKILL.
    assert task.wait(120).signal == 9
    cluster.wait_view({1, 2})
    refused(cluster, "holon run -n 3 -- true", 125, "3")
    # The others serve on.
    assert cluster[1].run("holon run -n 2 -- true", check=False).status == 0
    cluster.revive(3)
    cluster.wait_view({1, 2, 3})
    assert cluster[1].run("holon run -n 3 -- true", check=False).status == 0


@pytest.mark.cluster(nodes=3, fresh=True)
def test_the_death_of_the_home_ends_the_guest(cluster):
    task = cluster[1].spawn(["holon", "run", "-n", "2", "--", "sleep", "100000"])
    cluster.wait_until(lambda: "sleep" in cluster[2].out("ps"), "the guest runs on node 2")
    assert task.running
    cluster.kill(1)
    cluster.wait_view({2, 3})
    cluster.wait_until(lambda: "sleep" not in cluster[2].out("ps"), "the guest is gone")
