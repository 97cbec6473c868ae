"""Nodes boot, know who they are, and reach one another over the switch."""

import pytest

pytestmark = pytest.mark.cluster(nodes=3)


def test_nodes_boot_with_their_identity(cluster):
    for node in cluster:
        assert node.out("uname -n") == f"node{node.id}"
        assert f"inet {node.address}/24" in node.out("ip address show eth0")
        assert node.out("cat /sys/class/dmi/id/product_uuid") == str(node.uuid)
        assert node.out("uname -r").endswith("-holon")


def test_every_node_reaches_every_other(cluster):
    for node in cluster:
        for other in cluster:
            node.run(["ping", "-c", "1", "-W", "30", other.address])


def test_home_is_one_directory_for_all_nodes(cluster):
    cluster[1].run("mkdir -p /home/a && echo from one > /home/a/file")
    assert cluster[2].out("cat /home/a/file") == "from one"
    cluster[2].run("echo and two >> /home/a/file; ln -s file /home/a/link")
    assert cluster[3].out("cat /home/a/link") == "from one\nand two"
    # Programs can be run from there.
    cluster[3].run("cp /bin/busybox /home/a/true && chmod 755 /home/a/true")
    cluster[1].run(["/home/a/true"])


def test_each_node_has_its_own_temporary_files(cluster):
    for path in ("/tmp", "/run", "/var", "/dev/shm"):
        cluster[1].run(f"echo x > {path}/mine")
        assert cluster[2].run(f"test -e {path}/mine", check=False).status == 1


def test_commands_have_input_environment_directory_and_user(cluster):
    node = cluster[1]
    result = node.run(["sh", "-c", 'cat; echo "$A $PWD $(id -u)"; echo bad >&2; exit 7'],
                      stdin=b"\x00\xffbytes\n", env={"A": "value"}, cwd="/proc", uid=1000,
                      check=False)
    assert result.stdout == b"\x00\xffbytes\nvalue /proc 1000\n"
    assert result.stderr == b"bad\n"
    assert result.status == 7
    assert node.run("kill -9 $$", check=False).signal == 9


def test_a_command_that_cannot_start_says_why(cluster):
    with pytest.raises(FileNotFoundError):
        cluster[1].run(["/no/such/program"])
    with pytest.raises(PermissionError):
        cluster[1].run(["/etc/passwd"])


def test_much_output_arrives_whole(cluster):
    result = cluster[1].run("head -c 3000000 /dev/zero | tr '\\0' x; echo end >&2")
    assert result.stdout == b"x" * 3000000
    assert result.stderr == b"end\n"


def test_a_pty_has_job_control_and_a_window_size(cluster):
    shell = cluster[1].terminal.spawn(["sh", "-i"], pty=[30, 100], env={"PS1": "ready> "})
    shell.wait_output("ready> ")
    shell.input("stty size\n")
    shell.wait_output("30 100\r\nready> ")
    shell.resize(50, 132)
    shell.input("stty size\n")
    shell.wait_output("50 132\r\nready> ")
    # Line editing has the terminal in its own mode: what is for cat comes once cat runs.
    shell.input("cat\n")
    cluster.wait_until(lambda: cluster[1].run(["pidof", "cat"], check=False).out, "cat runs")
    shell.input("one\n")
    shell.wait_output("one\r\none\r\n")
    # Ctrl-Z stops the foreground job, the shell stays.
    shell.input("\x1a")
    shell.wait_output("Stopped[^\n]*\r\n.*ready> ")
    shell.input("fg\n")
    cluster.wait_until(lambda: cluster[1].out("cat /proc/$(pidof cat)/stat").split()[2] == "S",
                       "cat goes on")
    shell.input("two\n")
    shell.wait_output("two\r\ntwo\r\n")
    shell.input("\x03")
    shell.wait_output("\\^C\r?\n?.*ready> ")
    shell.input("exit 3\n")
    assert shell.wait().status == 3
