"""
Two machines boot the same live image, one by UEFI and one by BIOS, and are one
cluster: nobody types anything until that has happened.
"""

import re

import pytest

from harness import config, verdict
from harness.errors import TimedOut
from harness.machine import LiveNodes

pytestmark = [pytest.mark.long, pytest.mark.limit(1800)]

BOOT_LIMIT = 900


@pytest.fixture
def nodes():
    image = config.BUILD / "live/holon.iso"
    assert image.exists(), f"{image} is not there: run make iso first"
    cluster = LiveNodes(2, folder=config.OUT / "test_live", disk=image)
    cluster[2].firmware = "bios"
    with cluster:
        yield cluster


def ask(node, command, answer):
    """
    Type @command on the console, again if nobody listened yet. Returns the match of
    the line that answers, which a shell may begin with the end of a paste mode.
    """
    for attempt in range(5):
        since = node.console.mark()
        node.type(command + "\n")
        try:
            return node.console.wait(rf"^(?:\x1b\[\?2004l\r?)?{answer}$", since=since)
        except TimedOut:
            if attempt == 4:
                raise
    return None


def test_two_that_boot_one_image_are_a_cluster(nodes):
    views = [node.console.wait(r"holon: view (\d+): installed, 2 members ([\d,-]+), .*cluster (\S+)",
                               timeout=BOOT_LIMIT) for node in nodes]
    assert views[0].groups() == views[1].groups()
    ids = {int(number) for number in re.findall(r"\d+", views[0][2])}
    assert len(ids) == 2
    # Only to look at it.
    one = nodes[1]
    one.console.wait(r"Debian GNU/Linux 12 node\d+ ttyS0", timeout=BOOT_LIMIT)
    # The first time this is the name of a user.
    one.type("root\n")
    me = int(ask(one, "cat /sys/kernel/holon/node", r"(\d+)")[1])
    other, = ids - {me}
    # The other one has been asked when its container is ready.
    said = ask(one, f"holon run -n {other} -- sh -c 'echo ran-$((6 * 7))'", "(ran-42|holon: .*)")
    assert said[1] == "ran-42"
    # But that an emulated machine on a busy host is slow.
    allow = (r"rcu: INFO: rcu_\w+ detected", r"Call Trace:", "soft lockup")
    for node in nodes:
        assert verdict.complaints(node, allow=allow) == []
