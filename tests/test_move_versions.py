"""
A mount that is said to be identical is a disk of its own on each node: the same file
has another inode, and some node has another version of it.
"""

import pytest

from probe import all_ready
from rpc_counters import rpc
from runs import COUNTER, answers, migrate, pid_of, there
from views import wait_agreed

pytestmark = pytest.mark.cluster(
    nodes=3, image="root",
    append=["holon.shared=/:identical,/home:close-to-open,/mnt:identical"])

PROGRAM = COUNTER.replace("bash", "/mnt/program")


@pytest.fixture
def disks(cluster):
    """Node 3 is one update ahead."""
    wait_agreed(cluster, [1, 2, 3])
    for node in cluster:
        if node.run("mountpoint -q /mnt", check=False).status:
            node.run("mount -t tmpfs -o mode=0755 none /mnt; touch /mnt/$(hostname)"
                     "; cp -p /bin/bash /mnt/program")
    three = cluster[3]
    three.run("[ -e /mnt/new ] || { touch /mnt/new; echo >> /mnt/program; }")
    # Containers have the mounts that were there when they were made.
    for node in (cluster[2], three):
        node.run("holon node leave")
        cluster.wait_until(lambda node=node: node.run("holon node join", check=False).status == 0,
                           f"node {node.id} is in again")
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    inodes = {node.out("stat -c %i.%Y /mnt/program") for node in cluster}
    assert len(inodes) > 1
    return cluster


def reads(node):
    return rpc(node).get("paged_read.calls", 0)


def test_the_same_file_is_used_and_another_one_is_not(disks):
    one, two, three = disks
    task = one.spawn(PROGRAM, open_stdin=True)
    pid = pid_of(task)
    before = reads(two)
    migrate(one, pid, 2)
    answers(task, "two")
    assert reads(two) == before
    before = reads(three)
    migrate(one, pid, 3)
    answers(task, "three")
    assert reads(three) > before
    migrate(one, pid, 1)
    answers(task, "one")
    task.close_input()
    assert task.wait().status == 0


def test_what_home_has_in_another_version_stays_away(disks):
    one = disks[1]
    task = one.spawn(there(3) + PROGRAM, open_stdin=True)
    pid = pid_of(task)
    result = migrate(one, pid, 1, check=False)
    assert result.status == 1 and "another version" in result.err, result
    answers(task, "still")
    task.close_input()
    assert task.wait().status == 0
