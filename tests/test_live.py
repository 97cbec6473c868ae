"""
Two machines boot the same live image, one by UEFI and one by BIOS, and are one
cluster: nobody types anything until that has happened.
"""

import pytest

import live
from harness import config
from harness.machine import LiveNodes

pytestmark = [pytest.mark.long, pytest.mark.limit(1800)]


@pytest.fixture
def nodes():
    image = config.BUILD / "live/holon.iso"
    assert image.exists(), f"{image} is not there: run make iso first"
    cluster = LiveNodes(2, folder=config.OUT / "test_live", disk=image)
    cluster[2].firmware = "bios"
    with cluster:
        yield list(cluster)


def test_two_that_boot_one_image_are_a_cluster(nodes):
    live.become_a_cluster(nodes)
    live.nothing_to_complain(nodes)
