"""
Two machines boot the disk that `make disk` makes, each with a file of settings of its own in
it, and are one cluster.
"""

import io
import re
import secrets
import tarfile

import pytest

from harness import config
from harness.machine import Machines, bootstrap, build_disk, our_packages
from harness.node import address_of
from runs import pid_of

pytestmark = [pytest.mark.long, pytest.mark.limit(3600)]

# As little as an administrator has to say.
NETWORK = """[Match]
Driver=virtio_net
[Network]
Address={address}/24
"""


def write_settings(path, key, ident):
    """What an administrator gives make disk as CONFIG=."""
    address = address_of(ident)
    settings = (config.REPO / "distro/node/node.conf").read_text()
    for name, value in {"node": ident, "expect": 2, "addr": address}.items():
        settings, count = re.subn(rf"(?m)^#?{name}=.*$", f"{name}={value}", settings)
        assert count == 1
    files = {
        "etc/holon/node.conf": settings,
        "etc/holon/cluster.key": f"{key}\n",
        "etc/systemd/network/ether.network": NETWORK.format(address=address),
    }
    with tarfile.open(path, "w") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text), 0o600 if name.endswith(".key") else 0o644
            archive.addfile(info, io.BytesIO(text.encode()))


@pytest.fixture
def machines(tmp_path):
    disks = {ident: tmp_path / f"{ident}.img" for ident in (1, 2)}
    key = secrets.token_hex(32)
    for ident, disk in disks.items():
        settings = tmp_path / f"{ident}.tar"
        write_settings(settings, key, ident)
        build_disk(disk, bootstrap(), *our_packages(), settings)
    with Machines(2, folder=config.OUT / "test_disk", disk=disks) as booted:
        yield booted


def test_disks_with_settings_are_a_cluster(machines, request):
    machines.mark(request.node.nodeid)
    machines.wait_view({1, 2}, timeout=600)
    one, two = machines
    for node in machines:
        assert node.out("uname -r").endswith("-holon")
        assert node.booted() is True
    assert one.out("holon run -n 2 -- sh -c 'echo $((6 * 7))'") == "42"
    sleeper = one.spawn("echo pid $$; exec sleep 100000")
    pid = pid_of(sleeper)
    one.run(f"holon task migrate pid {pid} to 2")
    assert two.run("pgrep -x sleep", check=False).status == 0
    one.run(f"kill {pid}")
    assert sleeper.wait().signal == 15
    machines.verdict()
