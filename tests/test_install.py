"""
Two machines with a blank Debian become nodes of one cluster: install the packages,
edit one file, reboot. What is wrong in that file leaves an ordinary machine that
says why, and purging the packages leaves Debian as it was.

The tests are steps of one installation and run in this order.
"""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import config
from harness.machine import Machines, bootstrap, build_disk, our_packages

pytestmark = [pytest.mark.long, pytest.mark.limit(3600)]

CONF = "/etc/holon/node.conf"
KEY = "/etc/holon/cluster.key"


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    debs = tmp_path_factory.mktemp("debs")
    for package in our_packages():
        shutil.copy(package, debs)
    disk = config.BUILD / "disk/blank.img"
    build_disk(disk, bootstrap())
    with Machines(2, folder=config.OUT / "test_install", disk=disk, files=debs) as booted:
        yield booted


@pytest.fixture(autouse=True)
def consoles(machines, request):
    """Nothing in the consoles that a test must not see."""
    machines.mark(request.node.nodeid)
    yield
    machines.verdict()


def on_both(machines, work):
    """@work(machine) on all at once; what it returned."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(work, machines))


def change(node, /, **settings):
    """Set settings of node.conf."""
    text = node.read(CONF)
    for name, value in settings.items():
        line = f"{name}={value}"
        text, count = re.subn(rf"(?m)^#?{name}=.*$", line, text)
        assert count == 1
    node.write(CONF, text)


def install(node):
    node.set_address()
    node.run("mount -o ro /dev/vdb /mnt && DEBIAN_FRONTEND=noninteractive "
             "apt-get install -y /mnt/*.deb && umount /mnt", timeout=1800)


def test_before_it_is_debian(machines):
    for node in machines:
        assert node.booted() is True
        assert "-cloud-amd64" in node.out("uname -r")


def test_packages_install(machines):
    on_both(machines, install)
    for node in machines:
        # On Debian's kernel the command says what is missing, and the units do nothing.
        said = node.run("holon node show", check=False)
        assert said.status == 1 and "this kernel has no Holon" in said.err


def test_one_file_and_a_reboot_make_a_cluster(machines):
    machines[1].run("holon cluster key generate")
    machines[2].write(KEY, machines[1].read(KEY), mode=0o600)
    for node in machines:
        change(node, node=node.id, expect=2, addr=node.address)
        node.run("holon node check")
    machines.reboot()
    machines.wait_view({1, 2}, timeout=600)
    for node in machines:
        assert node.out("uname -r").endswith("-holon")
        assert node.booted() is True
        # The id was given before systemd began.
        assert int(node.out("systemctl show -P MainPID systemd-udevd")) >> 22 == node.id


def test_a_program_runs_on_the_other_machine(machines):
    one, two = machines
    sleeper = one.spawn("exec holon run -n 2 -- sleep 100000")
    machines.wait_until(lambda: two.run("pgrep -x sleep", check=False).status == 0,
                        "sleep runs on node 2")
    assert one.run("kill $(pgrep -x sleep)").status == 0
    assert sleeper.wait().signal == 15


def test_a_program_that_is_away_has_the_files_of_its_home(machines):
    one, two = machines
    for folder in ("/tmp", "/var/tmp", "/root", "/etc"):
        one.write(f"{folder}/mine", "from one\n")
        assert one.out(f"holon run -n 2 -- cat {folder}/mine") == "from one"
        one.run(f"holon run -n 2 -- sh -c 'echo by two >> {folder}/mine'")
        assert one.out(f"tail -1 {folder}/mine") == "by two"
        assert two.run(f"test -e {folder}/mine", check=False).status == 1
    assert one.out("holon run -n 2 -- uname -n") == one.out("uname -n")


def test_the_other_way_round_and_by_turns(machines):
    one, two = machines
    assert two.out("holon run -n 1 -- sh -c 'echo $((6 * 7))'") == "42"
    for _ in range(4):
        assert one.out("holon run -- echo so") == "so"
    # A program of Debian, with threads, files and libraries of its own.
    assert "perl 5" in one.out("holon run -n 2 -- perl -v")


def wait_reason(machines, node, pattern):
    """`holon node show` on @node gives a reason with @pattern."""
    def said():
        shown = node.run("holon node show", check=False)
        text = shown.out + shown.err
        return re.search(pattern, text) or not last.append(text) and None

    last = []
    machines.wait_until(said, f"{pattern!r} in holon node show", timeout=300)


def boot_with(machines, node, /, **settings):
    """Reboot @node with changed settings."""
    change(node, **settings)
    node.reboot()
    assert node.out("uname -r").endswith("-holon")


def outside(node):
    """An ordinary machine, in no cluster, whose other services run."""
    assert node.out("cat /sys/kernel/holon/state") in ("off", "alone", "joining")
    node.run("systemctl is-system-running --wait", check=False, timeout=600)
    assert node.out("systemctl is-active multi-user.target") == "active"


def test_without_an_id(machines):
    two = machines[2]
    boot_with(machines, two, node="")
    wait_reason(machines, two, "gives no node=: this machine is in no cluster")
    two.run("journalctl -b -u holon-node | grep 'gives no node='")
    outside(two)
    # The other goes on alone, as the lower of two.
    machines.wait_view({1})


def test_with_a_bad_key_file(machines):
    two = machines[2]
    key = two.read(KEY)
    two.write(KEY, "not a key\n", mode=0o600)
    boot_with(machines, two, node=2)
    wait_reason(machines, two, "line 1 is not a key of 64 hexadecimal digits")
    two.run("journalctl -b -u holon-node | grep 'is not a key'")
    outside(two)
    two.write(KEY, key, mode=0o600)


def test_with_the_id_of_another(machines):
    two = machines[2]
    boot_with(machines, two, node=1)
    wait_reason(machines, two, "another machine claims this node's id|has the same id|belongs to another")
    two.run("journalctl -b -k | grep -E 'holon: node 1: '")
    outside(two)
    machines.wait_view({1})


def test_with_nobody_there(machines):
    two = machines[2]
    machines.cut(1, 2)
    boot_with(machines, two, node=2, expect="")
    wait_reason(machines, two, "no member of a cluster of this name is heard")
    two.run("journalctl -b -u holon-join | grep 'is heard'")
    outside(two)
    # And it joins as soon as it can, with no further reboot.
    machines.heal()
    machines.wait_view({1, 2}, timeout=600)


def test_out_and_in_again(machines):
    """The steps of a rolling upgrade: leave, install the packages again, reboot."""
    one, two = machines
    two.run("holon node leave")
    machines.wait_view({1})
    two.run("mount -o ro /dev/vdb /mnt && DEBIAN_FRONTEND=noninteractive "
            "apt-get install -y --reinstall /mnt/*.deb && umount /mnt", timeout=1800)
    assert "node=2" in two.read(CONF)
    two.reboot()
    machines.wait_view({1, 2}, timeout=600)
    assert two.booted() is True
    assert one.out("holon run -n 2 -- echo back") == "back"


def test_purged_it_is_debian_again(machines):
    two = machines[2]
    two.run("DEBIAN_FRONTEND=noninteractive apt-get purge -y holon-node holon-tools "
            "'linux-image-*-holon'", timeout=1800)
    machines.wait_view({1})
    for path in ("/etc/holon", "/run/holon", "/usr/lib/holon", "/boot/vmlinuz-*-holon"):
        assert two.run(f"ls -d {path}", check=False).status != 0
    two.reboot()
    assert "-cloud-amd64" in two.out("uname -r")
    assert two.booted() is True
