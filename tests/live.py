"""What the tests of live nodes share: nodes without an agent, that nobody types to."""

import re

from harness import verdict
from harness.errors import TimedOut

BOOT_LIMIT = 900


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


def log_in(node):
    node.console.wait(r"Debian GNU/Linux 12 node\d+ ttyS0", timeout=BOOT_LIMIT)
    # The first time this is the name of a user.
    node.type("root\n")


def become_a_cluster(nodes):
    """Two nodes find each other, and a program of one runs on the other. Logs in on the first."""
    views = [node.console.wait(r"holon: view (\d+): installed, 2 members ([\d,-]+), .*cluster (\S+)",
                               timeout=BOOT_LIMIT) for node in nodes]
    assert views[0].groups() == views[1].groups()
    ids = {int(number) for number in re.findall(r"\d+", views[0][2])}
    assert len(ids) == 2
    # Only to look at it.
    one = nodes[0]
    log_in(one)
    me = int(ask(one, "cat /sys/kernel/holon/node", r"(\d+)")[1])
    other, = ids - {me}
    # The other one has been asked when its container is ready.
    said = ask(one, f"holon run -n {other} -- sh -c 'echo ran-$((6 * 7))'", "(ran-42|holon: .*)")
    assert said[1] == "ran-42"


def nothing_to_complain(nodes):
    # But that an emulated machine on a busy host is slow.
    allow = (r"rcu: INFO: rcu_\w+ detected", r"Call Trace:", "soft lockup")
    for node in nodes:
        assert verdict.complaints(node, allow=allow) == []
