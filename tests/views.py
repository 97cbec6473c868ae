"""What nodes say about the view, for the tests of membership."""

from collections import namedtuple

from harness import config

# Suspect quickly, but not a machine that merely shares its host with others.
FD_MS = int(config.limit(6000))
APPEND = [f"holon.fd_ms={FD_MS}"]

View = namedtuple("View", "state epoch members coordinator steady cluster")


def _ids(text):
    ids = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        ids |= set(range(int(first), int(last or first) + 1))
    return frozenset(ids)


def view(node):
    """The view as /sys/kernel/holon shows it."""
    lines = node.out("cd /sys/kernel/holon && "
                     "cat state epoch members coordinator steady cluster_uuid").split("\n")
    return View(lines[0], int(lines[1]), _ids(lines[2]), int(lines[3]), lines[4] == "1", lines[5])


def agreed(cluster, members):
    """The view of all of @members if it is one, has exactly them and is resumed; else None."""
    views = [view(cluster[ident]) for ident in members]
    first = views[0]
    if first.state == "member" and first.steady and first.members == frozenset(members) and \
            all(v == first for v in views):
        return first
    return None


def wait_agreed(cluster, members, timeout=120):
    members = sorted(members)
    return cluster.wait_until(lambda: agreed(cluster, members), f"one view of {members}", timeout)


def installed(node, since=0):
    """{epoch: members} of the views that @node installed, from its console."""
    views = {}
    for _, line in node.console.lines[since:]:
        if "holon: view " in line and " installed, " in line:
            words = line.split("holon: view ")[1].split()
            epoch = int(words[0].rstrip(":"))
            views[epoch] = _ids(words[4].rstrip(","))
    return views


def assert_one_history(cluster, lives=None):
    """No epoch was installed with different members on two nodes of one cluster."""
    seen = {}
    for node in lives or cluster:
        for epoch, members in installed(node).items():
            assert seen.setdefault(epoch, members) == members, \
                f"epoch {epoch}: {sorted(members)} on {node.name}, {sorted(seen[epoch])} elsewhere"
