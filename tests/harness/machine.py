"""
Machines with a disk: UEFI firmware, a boot loader, Debian with systemd.

What is under test is only what a test installs. The harness adds its agent, the
address of the machine in the network of the switch, and a second disk with the
folder @files, mounted on /mnt by nobody but the test.
"""

import io
import shutil
import signal
import subprocess
import tarfile
import tempfile
from pathlib import Path

from . import config
from .cluster import Cluster
from .node import Node

FIRMWARE = Path("/usr/share/OVMF")
# A whole Debian, emulated, behind firmware and boot loader.
BOOT_LIMIT = 600

AGENT_UNIT = """[Unit]
Description=Test harness
[Service]
ExecStart=/opt/harness/agent %i
Restart=always
RestartSec=1
"""

NETWORK = """[Match]
Driver=virtio_net
[Network]
LinkLocalAddressing=no
IPv6AcceptRA=no
"""


def agent_files(path):
    """Write a tar archive with what the harness needs in a machine."""
    units = "etc/systemd/system"
    wants = f"{units}/multi-user.target.wants"
    networkd = "/lib/systemd/system/systemd-networkd.service"
    with tarfile.open(path, "w") as archive:
        def put(name, data, mode):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            archive.addfile(info, io.BytesIO(data))

        def link(name, target):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)

        put("opt/harness/agent", (config.BUILD / "userland/agent/agent").read_bytes(), 0o755)
        put(f"{units}/harness@.service", AGENT_UNIT.encode(), 0o644)
        put("etc/systemd/network/ether.network", NETWORK.encode(), 0o644)
        for port in ("holon.agent", "holon.console"):
            link(f"{wants}/harness@{port}.service", f"/{units}/harness@.service")
        link(f"{wants}/systemd-networkd.service", networkd)


def pack(folder, image):
    """An ext4 image with the files of @folder."""
    size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    image.unlink(missing_ok=True)
    with open(image, "wb") as file:
        file.truncate(size * 5 // 4 + (16 << 20))
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-d", folder, image], check=True)


class Machine(Node):
    """One of them, with a copy of the disk."""

    boot_limit = BOOT_LIMIT

    def _devices(self):
        cluster = self.cluster
        variables = self.folder / "firmware"
        disk = self.folder / "disk"
        if not disk.exists():
            shutil.copy(FIRMWARE / "OVMF_VARS.fd", variables)
            subprocess.run(["cp", "--sparse=always", cluster.disk_of(self.id), disk], check=True)
        argv = ["-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE.fd",
                "-drive", f"if=pflash,format=raw,file={variables}",
                "-drive", f"file={disk},format=raw,if=none,id=disk",
                "-device", "virtio-blk-pci,drive=disk,bootindex=1"]
        if cluster.files:
            argv += ["-drive", f"file={cluster.files},format=raw,if=none,id=files,readonly=on",
                     "-device", "virtio-blk-pci,drive=files,serial=files"]
        return argv

    def set_address(self):
        """Give the machine its address, now and for the boots to come."""
        self.write("/etc/systemd/network/ether.network",
                   NETWORK + f"Address={self.address}/24\n")
        self.run("systemctl restart systemd-networkd")

    def booted(self):
        """True when all has been started and systemd has nothing to complain of; else what it says."""
        said = self.run("systemctl is-system-running --wait", check=False, timeout=600).out.strip()
        return said == "running" or self.out("systemctl --failed --plain --no-legend") or said

    def reboot(self):
        """
        Shut down, switch on; returns when it is back. A reset does not do: the
        emulated firmware does not always come through one.
        """
        self.cluster.reboot([self])
        return self

    def shut_down(self):
        self.spawn("systemctl poweroff")

    def wait_off(self):
        self._process.wait(config.limit(BOOT_LIMIT))
        self._end(signal.SIGKILL)

    def close(self):
        super().close()
        (self.folder / "disk").unlink(missing_ok=True)


class Machines(Cluster):
    """
    @disk: what they boot from, an image of build-disk, or {id: image}; @files: a folder for
    /dev/vdb.
    """

    node_type = Machine

    def __init__(self, nodes=2, *, folder, disk, files=None, **options):
        self.disk = disk
        self.files = None
        options.setdefault("memory", 1024)
        super().__init__(nodes, folder=folder, **options)
        if files:
            self.files = self.folder / "files.img"
            pack(files, self.files)

    def reboot(self, nodes=None):
        """All, or those, at once."""
        nodes = nodes or list(self)
        self.history.add("reboot", nodes=[node.id for node in nodes])
        for node in nodes:
            node.shut_down()
        for node in nodes:
            node.wait_off()
        # By this thread: a QEMU ends with the one that has started it.
        for node in nodes:
            node.start()
        for node in nodes:
            node.wait_boot()

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.close()

    def disk_of(self, ident):
        return Path(self.disk[ident] if isinstance(self.disk, dict) else self.disk)

    def needs(self):
        disks = self.disk.values() if isinstance(self.disk, dict) else [self.disk]
        return [*map(Path, disks), FIRMWARE / "OVMF_CODE.fd"]


def our_packages():
    """What makes a Debian machine a node."""
    found = []
    for pattern in ("holon-tools_*_amd64.deb", "holon-node_*_amd64.deb", "linux-image-*_amd64.deb"):
        one = list((config.BUILD / "deb").glob(pattern))
        assert len(one) == 1, f"{one} for {pattern}: run make deb deb-kernel first"
        found += one
    return found


def bootstrap(folder="disk", packages="distro/disk/packages"):
    """A Debian tree of @packages, kept in @folder of the build; without them, that of the disks."""
    done = subprocess.run([config.REPO / "distro/image/debian-tree", config.BUILD / folder,
                           config.REPO / packages],
                          check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def build_disk(output, debian, *more):
    """An image of the Debian tree @debian, with the agent of the harness in it."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as files:
        agent_files(files.name)
        subprocess.run([config.REPO / "distro/disk/build-disk", output, debian, files.name, *more],
                       check=True, stdin=subprocess.DEVNULL)


class LiveNode(Node):
    """A machine without a disk that boots the live image. It has no agent."""

    firmware = "uefi"

    def _devices(self):
        argv = self._medium()
        if self.firmware == "uefi":
            argv += ["-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE.fd"]
        return argv

    def _medium(self):
        return ["-drive", f"file={self.cluster.disk},format=raw,if=none,id=stick,readonly=on",
                "-device", "virtio-blk-pci,drive=stick,bootindex=1"]

    def type(self, text):
        """Type on the serial console."""
        self._sockets[0].sendall(text.encode())


class LiveNodes(Machines):
    """@disk is the live image."""

    node_type = LiveNode

    def __enter__(self):
        return self.start(wait=False)


class NetworkNode(LiveNode):
    """One that its firmware boots from the network."""

    def _medium(self):
        return ["-global", "virtio-net-pci.bootindex=1"]


class Server(Machine):
    """The machine that NetworkNodes boot from. The live image is its /dev/vdb."""

    def _devices(self):
        return super()._devices() + [
            "-drive", f"file={self.cluster.live},format=raw,if=none,id=live,readonly=on",
            "-device", "virtio-blk-pci,drive=live"]


class NetworkNodes(Machines):
    """
    Node 1 is a Server, with a copy of @disk, and boots first; the others begin to
    boot when start_others() is called. @live is the live image.
    """

    def __init__(self, nodes, *, live, **options):
        self.live = live
        super().__init__(nodes, **options)

    def _new_node(self, ident, **options):
        self.node_type = Server if ident == 1 else NetworkNode
        return super()._new_node(ident, **options)

    @property
    def others(self):
        return [node for node in self if node.id != 1]

    def __enter__(self):
        try:
            self[1].start().wait_boot()
        except BaseException:
            self.close()
            raise
        return self

    def start_others(self):
        for node in self.others:
            node.start()

    def needs(self):
        return super().needs() + [self.live]
