"""
Two machines without a disk, one with UEFI and one with BIOS, boot the live image from
a server by the recipe of install.rst, and are one cluster.
"""

import re

import pytest

import live
from harness import config
from harness.machine import NetworkNodes, bootstrap, build_disk

pytestmark = [pytest.mark.long, pytest.mark.limit(3600)]

RECIPE = config.REPO / "kernel/Documentation/admin-guide/holon/install.rst"


@pytest.fixture
def network():
    image = config.BUILD / "live/holon.iso"
    assert image.exists(), f"{image} is not there: run make iso first"
    disk = config.BUILD / "netboot/server.img"
    build_disk(disk, bootstrap("netboot", "tests/netboot.packages"))
    network = NetworkNodes(3, folder=config.OUT / "test_netboot", disk=disk, live=image)
    network[3].firmware = "bios"
    with network:
        yield network


def recipe():
    """The commands of the documentation, each a line."""
    text = RECIPE.read_text(encoding="utf-8")
    block = re.search(r"\nWithout a disk\n=+\n.*?::\n\n((?:\t[^\n]*\n)+)", text, re.DOTALL)[1]
    return [line.strip() for line in block.splitlines()]


def prepare(server):
    """The recipe; what differs here is said."""
    server.set_address()
    for command in recipe():
        program = command.split()[0]
        if program == "apt":
            packages = command.split("install", 1)[1].split()
            server.run(["dpkg", "--status", *packages])  # they are in the disk
        elif program == "editor":
            server.run("sed -i s/192.0.2/10.77.0/g " + command.split()[1])
        else:
            # The image is a disk here, not a file.
            server.run(command.replace("-o loop,ro holon.iso", "-o ro /dev/vdb"))


def test_two_without_a_disk_are_a_cluster(network):
    server = network[1]
    prepare(server)
    network.start_others()
    nodes = network.others
    live.become_a_cluster(nodes)
    for node in nodes[1:]:
        live.log_in(node)
    for node in nodes:
        live.ask(node, "grep -q ' nfs .*10.77.0.1' /proc/mounts && echo nfs-$((6 * 7))", "nfs-42")
        # The address of the boot is still that of the card.
        live.ask(node, "ip -4 -o address show scope global | grep -c 'inet 10.77.0.1[0-9][0-9]/'", "1")
    live.nothing_to_complain(nodes)
