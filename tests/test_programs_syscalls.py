"""System calls keep their promises in a process that runs on another node."""

import pytest

from selftests import check, place

pytestmark = pytest.mark.cluster(nodes=2)


@pytest.fixture
def program(cluster):
    return place(cluster, "syscalls")


def test_at_home(cluster, program):
    check(cluster[1].run([program], check=False, timeout=300))


def test_on_another_node(cluster, program):
    check(cluster[1].run(["holon", "run", "-n", "2", "--", program], check=False, timeout=600))


def test_on_another_node_as_a_user(cluster, program):
    check(cluster[1].run(["holon", "run", "-n", "2", "--", program, "files"], check=False,
                         timeout=600, uid=1000, gid=1000))


def test_what_cannot_come_home_is_refused(cluster, program):
    """It holds a file of the other node, in /proc, that cannot be had at home."""
    result = cluster[1].run(["holon", "run", "-n", "2", "--", "sh", "-c",
                             "exec 3< /proc/self/status; exec mount -t tmpfs none /mnt"],
                            check=False)
    assert result.status and "not implemented" in result.err, result
    cluster[2].wait_console("which has to run at home, and cannot come home")
    cluster[2].wait_console("it has a descriptor that cannot leave the node")


def test_shared_mounts_are_listed(cluster):
    assert cluster[1].read("/sys/kernel/holon/shared") == "/ identical\n/home close-to-open\n"


def test_a_stub_lets_nobody_in(cluster):
    node = cluster[1]
    node.run("mkdir -p /tmp/stub && mount -t holonstub none /tmp/stub")
    for command in ("ls /tmp/stub", "cd /tmp/stub", "cat /tmp/stub/a", "mkdir /tmp/stub/b",
                    "ln -s x /tmp/stub/c", "mv /etc/passwd /tmp/stub/"):
        result = node.run(command, check=False)
        assert result.status != 0 and "emote" in result.err, (command, result.err)
    node.run("mkdir -p /tmp/dev && mount -t holonstub -o devices none /tmp/dev")
    node.run("echo x > /tmp/dev/null && head -c 5 /tmp/dev/urandom | wc -c | grep 5")
    assert "emote" in node.run("ls /tmp/dev/tty", check=False).err
