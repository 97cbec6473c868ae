"""
holond: each node has a container for every other node that looks like that
node; it is made when the node joins, made again when it is killed, survives a
restart of holond, and goes when its node goes.
"""

import json

import pytest

pytestmark = pytest.mark.cluster(nodes=3)

CGROUP = "/sys/fs/cgroup/holon.slice"


def ask(node, *words):
    return json.loads(node.out(["holon", "-j", *words]))


def spawner(node, home):
    """Process 1 of the container of @home, as @node's first pid namespace numbers it; or 0."""
    result = node.run(f"cat {CGROUP}/home-{home}/init/cgroup.procs", check=False)
    for pid in result.out.split():
        status = node.run(f"grep NSpid: /proc/{pid}/status", check=False).out.split()
        if status[2:] == ["1"]:
            return int(pid)
    return 0


def count(node, name):
    return {(c["group"], c["counter"]): c["value"] for c in ask(node, "stats", "counter")}[
        ("task", name)]


def others(cluster, node):
    return [other.id for other in cluster if other is not node]


def wait_containers(cluster, node, homes):
    """All spawners of @homes, and no others, have lent themselves to the kernel."""
    cluster.wait_until(lambda: count(node, "spawners") == len(homes) and
                       all(spawner(node, home) for home in homes),
                       f"{node.name} has containers for {homes}", timeout=180)
    return {home: spawner(node, home) for home in homes}


def test_every_node_has_a_container_for_every_other(cluster):
    for node in cluster:
        wait_containers(cluster, node, others(cluster, node))
        names = node.out(f"cd {CGROUP} && ls -d home-*").split()
        assert names == [f"home-{i}" for i in others(cluster, node)]


def test_a_container_has_namespaces_of_its_own(cluster):
    node = cluster[1]
    for pid in wait_containers(cluster, node, [2, 3]).values():
        for kind in ("pid", "mnt", "uts", "ipc", "time", "net"):
            mine, its = (node.out(f"readlink /proc/{p}/ns/{kind}") for p in (1, pid))
            assert mine != its, kind
        # Privileges are those of the node: the guests have their own credentials.
        assert node.out("readlink /proc/1/ns/user") == node.out(f"readlink /proc/{pid}/ns/user")


def inside(node, pid, command):
    """A shell command in the container; the shell itself is not on its stubs."""
    return node.out(f"nsenter -t {pid} -u -i -n -m sh -c '{command}'")


def test_a_container_has_the_name_and_the_clock_of_its_home(cluster):
    node = cluster[1]
    for home, pid in wait_containers(cluster, node, [2, 3]).items():
        assert inside(node, pid, "uname -n") == cluster[home].out("uname -n")
        shown = ask(node, "node", "show", "id", str(home))
        line = node.out(f"grep monotonic /proc/{pid}/timens_offsets").split()
        offset = int(line[1]) * 10**9 + int(line[2])
        # The container's is a measurement of its own, some heartbeats ago.
        assert abs(offset - shown["clock-offset-ns"]) < 10**9


def test_only_shared_mounts_and_stubs_are_seen(cluster):
    node = cluster[1]
    pid = wait_containers(cluster, node, [2, 3])[2]
    mounts = {}
    for line in node.out(f"cat /proc/{pid}/mountinfo").splitlines():
        left, right = line.split(" - ")
        mounts[left.split()[4]] = right.split()[0]
    assert mounts["/home"] == "9p"
    assert mounts["/proc"] == "proc"
    for path in ("/tmp", "/run", "/var", "/sys", "/dev"):
        assert mounts[path] == "holonstub", path
    assert set(mounts.values()) <= {"9p", "proc", "holonstub", mounts["/"]}
    # Nothing of the node itself is open in it.
    targets = node.out(f"ls -l /proc/{pid}/fd | sed -n 's/.* -> //p'").splitlines()
    assert not [t for t in targets if "netlink" in t or t.startswith(("/run", "socket:"))]


def test_a_later_mount_of_the_home_is_covered(cluster):
    home, node = cluster[1], cluster[2]
    pid = wait_containers(cluster, node, [1, 3])[1]
    home.run("mkdir /home/later && mount -t tmpfs none /home/later && echo x > /home/later/file")
    cluster.wait_until(lambda: "/home/later" in node.run(f"grep holonstub /proc/{pid}/mountinfo",
                                                         check=False).out,
                       "node 2 has covered it")
    assert home.out("holon run -n 2 -- cat /home/later/file") == "x"
    # Nothing else has changed there.
    assert spawner(node, 1) == pid
    assert "/home/later" not in node.out("cat /proc/1/mountinfo")
    home.run("umount /home/later")


def test_a_killed_container_is_made_again(cluster):
    node = cluster[2]
    pids = wait_containers(cluster, node, [1, 3])
    node.run(f"kill -9 {pids[3]}")
    # Who comes before it is there waits for it.
    cluster[3].run("holon run -n 2 -- true")
    cluster.wait_until(lambda: spawner(node, 3) not in (0, pids[3]), "a new container", timeout=120)
    assert wait_containers(cluster, node, [1, 3])[1] == pids[1]


def test_containers_survive_a_restart_of_holond(cluster):
    node = cluster[3]
    pids = wait_containers(cluster, node, [1, 2])
    mark = node.console.mark()
    old = node.out("cat /run/holon/holond.pid")
    node.run(["kill", "-9", old])
    cluster.wait_until(lambda: node.out("cat /run/holon/holond.pid") not in ("", old),
                       "init has started holond again", timeout=120)
    node.wait_console("home 1: found its container running", since=mark)
    node.wait_console("home 2: found its container running", since=mark)
    assert wait_containers(cluster, node, [1, 2]) == pids


def test_a_second_holond_goes_away(cluster):
    result = cluster[1].run("holond", check=False)
    assert result.status == 1
    assert "another holond is running" in result.err


def test_containers_go_when_their_home_leaves(cluster):
    wait_containers(cluster, cluster[1], [2, 3])
    cluster[3].run("holon node leave")
    wait_containers(cluster, cluster[1], [2])
    wait_containers(cluster, cluster[3], [])
    cluster.wait_until(lambda: cluster[1].run(f"test -e {CGROUP}/home-3", check=False).status == 1,
                       "the cgroup is gone")
    cluster[3].run("holon node join")
    for node in cluster:
        wait_containers(cluster, node, others(cluster, node))


@pytest.mark.cluster(nodes=2, fresh=True)
def test_a_home_that_reboots_gets_a_new_container(cluster):
    pid = wait_containers(cluster, cluster[1], [2])[2]
    cluster.kill(2)
    wait_containers(cluster, cluster[1], [])
    cluster.revive(2)
    assert wait_containers(cluster, cluster[1], [2])[2] != pid
    wait_containers(cluster, cluster[2], [1])
