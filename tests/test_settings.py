"""
Nodes that the kernel command line says nothing of: what they are stands in a file,
as on a machine with a disk, and becomes true with the id or not at all.
"""

import pytest

pytestmark = pytest.mark.cluster(nodes=2, bare=True)

CONF = "/etc/holon/node.conf"
PARAMETERS = "/sys/module/holon/parameters"


def write_conf(node, /, **settings):
    text = "".join(f"{name}={value}\n" for name, value in settings.items())
    node.write(CONF, text)


def refused(node, command):
    result = node.run(command, check=False)
    assert result.status == 1, result
    return result.err


def test_it_is_an_ordinary_machine_at_first(cluster):
    for node in cluster:
        assert node.read("/sys/kernel/holon/state") == "off\n"
        assert node.read("/sys/kernel/holon/node") == "0\n"


def test_a_wrong_file_changes_nothing_and_is_the_reason(cluster):
    node = cluster[1]
    write_conf(node, node=1, cluster="filed", expect="two")
    assert "line 3: expect=two is wrong" in refused(node, "holon node configure")
    assert node.read("/sys/kernel/holon/state") == "off\n"
    assert node.read(f"{PARAMETERS}/cluster") == "\n"
    shown = node.run("holon node show")
    assert "this machine is in no cluster" in shown.err and "expect=two is wrong" in shown.err
    write_conf(node, cluster="filed")
    assert "gives no node=" in refused(node, "holon node configure")
    write_conf(node, node=1, cluster="filed", key="/tmp/none")
    assert "cannot read /tmp/none" in refused(node, "holon node configure")
    assert node.read("/sys/kernel/holon/state") == "off\n"
    # What only the kernel can see is refused by it, and there is no id then either.
    write_conf(node, node=1, cluster="filed", shared="/:wrong")
    assert "does not take holon.shared=/:wrong" in refused(node, "holon node configure")
    assert node.read("/sys/kernel/holon/state") == "off\n"


def test_the_file_makes_a_cluster(cluster):
    for node in cluster:
        node.run(f"ip address add {node.address}/24 dev eth0 && ip link set eth0 up")
        write_conf(node, node=node.id, cluster="filed", expect=2, addr=node.address,
                   fd_ms=cluster.fd_ms, lease_ms=cluster.lease_ms,
                   shared="/:identical,/home:close-to-open", port=4711)
        node.run("holon node configure")
    cluster.wait_view({1, 2})
    for node in cluster:
        assert node.read("/sys/kernel/holon/cluster") == "filed\n"
        assert f"{node.address}:4711" in cluster[3 - node.id].out("holon node show")
        assert node.run("holon node show").err == ""
        assert node.run("ls /run/holon/reason", check=False).status == 1


def test_new_processes_have_numbers_of_their_node(cluster):
    for node in cluster:
        # The agent is older than the id.
        assert int(node.out("echo $PPID")) < 1 << 22
        assert int(node.out("echo $$")) >> 22 == node.id


def test_with_the_id_settings_are_fixed(cluster):
    node = cluster[1]
    for name, value in (("addr", "10.0.0.9"), ("peers", "10.0.0.9"), ("port", "1"), ("if", "lo"),
                        ("cluster", "other"), ("expect", "3"), ("insecure", "1"),
                        ("fence", "/bin/true"), ("quorum", "one"), ("shared", "/:identical")):
        said = node.run(f"echo {value} > {PARAMETERS}/{name}", check=False)
        assert said.status != 0 and "busy" in said.err, name
    # To configure again loads the keys and leaves the rest alone.
    write_conf(node, node=7, cluster="other")
    node.run("holon node configure")
    assert node.read("/sys/kernel/holon/node") == "1\n"


def test_private_directories_belong_to_the_home(cluster):
    """A directory of the shared root that is mounted onto itself is not shared."""
    one, two = cluster
    for node in cluster:
        node.run("mkdir -p /own && uname -n > /own/name; echo $RANDOM >> /own/name")
    # Before, each node sees its own.
    assert one.out("holon run -n 2 -- cat /own/name") == two.read("/own/name").strip()
    for node in cluster:
        # As systemd mounts an id that it could not write, and as partitions are.
        node.run("mkdir /own/below; touch /own/id; mount -t tmpfs none /own/below")
        node.run("echo it > /own/below/id; mount --bind /own/below/id /own/id")
        node.write(CONF, "private=/own,/none\n")
        node.run("holon node private")
        node.run("holon node private")
        assert node.out("grep -c ' /own ' /proc/self/mountinfo") == "1"
        assert node.out("cat /own/below/id /own/id") == "it\nit"
    cluster.wait_until(lambda: one.out("holon run -n 2 -- cat /own/name") ==
                       one.read("/own/name").strip(), "the file of home")
    one.run("holon run -n 2 -- sh -c 'echo more >> /own/name'")
    assert one.out("tail -1 /own/name") == "more"
    assert "more" not in two.read("/own/name")
