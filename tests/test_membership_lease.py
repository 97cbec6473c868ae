"""
A node that does not hear a quorum stops what it does for the cluster before the
others go on without it, and continues if they did not.
"""

import json

import pytest

from probe import install, placed, ready, running
from views import view, wait_agreed

# Long enough that no view changes while a test looks at what is frozen.
PATIENT = pytest.mark.cluster(nodes=3, fresh=True, fd_ms=300000, lease_ms=4000,
                              append=["holon.tcp_timeout=600000"])
pytestmark = pytest.mark.cluster(nodes=3, fresh=True)

NATIVE = "n=0; while :; do n=$((n + 1)); echo $n > /tmp/native; sleep 0.1; done"


def begin(cluster, home=2, node=3):
    install(cluster)
    cluster.wait_view({1, 2, 3})
    ready(cluster, home=home, node=node)


def counted(cluster, name):
    """How far the counter that writes to /home/@name is; no number may be missing or twice."""
    file = cluster.home / name
    lines = file.read_text().split("\n")[:-1] if file.exists() else []
    assert lines == [str(n) for n in range(1, len(lines) + 1)]
    return len(lines)


def wait_counts(cluster, name, beyond):
    return cluster.wait_until(lambda: counted(cluster, name) > beyond and counted(cluster, name),
                              f"{name} counts beyond {beyond}")


def wait_state(cluster, ident, state):
    cluster.wait_until(lambda: view(cluster[ident]).state == state, f"node {ident} is {state}")


def native(node):
    return int(node.read("/tmp/native").strip() or 0)


def wait_native(cluster, node, rounds=20):
    """Let a native program of @node go on for some rounds: it must."""
    start = native(node)
    cluster.wait_until(lambda: native(node) >= start + rounds, "a native program goes on")


def ticks(node, pid):
    """CPU time of a process on its node, in clock ticks."""
    fields = node.read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def shown(node, about):
    return json.loads(node.out(f"holon -j node show id {about}"))


@PATIENT
def test_a_node_that_is_cut_off_stands_still_and_goes_on(cluster):
    begin(cluster)
    before = wait_agreed(cluster, [1, 2, 3])
    tasks = {name: cluster[2].spawn(placed("count", f"/home/{name}", *words, node=3))
             for name, words in (("silent", []), ("aloud", ["aloud"]))}
    tasks["spin"] = cluster[2].spawn(placed("spin", node=3))
    tasks["signals"] = cluster[2].spawn(placed("signals", node=3), open_stdin=True)
    # Home of this one is the node that is cut off.
    ready(cluster, home=3, node=2)
    tasks["back"] = cluster[3].spawn(placed("count", "/home/back", "aloud", node=2))
    cluster[3].spawn(NATIVE).wait_started()
    for name in ("silent", "aloud", "back"):
        wait_counts(cluster, name, 10)
    for name in ("spin", "signals"):
        tasks[name].wait_output("ready")
    guests = running(cluster[3])
    assert len(guests) == 5    # with the "back" that is a deputy

    cluster.partition({3}, {1, 2})
    wait_state(cluster, 3, "frozen")
    # What arrives meanwhile: input at home, a signal at home, one here.
    tasks["signals"].input("hello\n")
    tasks["signals"].signal(10)
    stood = counted(cluster, "silent"), [ticks(cluster[3], pid) for pid in guests]
    wait_native(cluster, cluster[3])
    assert (counted(cluster, "silent"), [ticks(cluster[3], pid) for pid in guests]) == stood
    # Nothing is begun here.
    result = cluster[3].run("timeout -s KILL 10 " + " ".join(placed("exit", 0, node=2)),
                            check=False)
    assert result.signal == 9 or result.status == 137
    # The others do not stop, and they have not gone on without it.
    assert view(cluster[1]) == before
    assert cluster[1].run("holon -j cluster show").out.count('"member"') == 1

    cluster.heal()
    wait_state(cluster, 3, "member")
    assert wait_agreed(cluster, [1, 2, 3]) == before
    for name in ("silent", "aloud", "back"):
        wait_counts(cluster, name, counted(cluster, name) + 10)
    tasks["signals"].wait_output("got 10 ")
    tasks["signals"].wait_output("read hello\n")
    cluster.wait_until(lambda: ticks(cluster[3], guests[0]) > stood[1][0] or
                       sum(ticks(cluster[3], pid) for pid in guests) > sum(stood[1]),
                       "the spinner goes on")
    for task in tasks.values():
        task.signal(9)
        assert task.wait().signal == 9
    for name in ("aloud", "back"):
        lines = tasks[name].wait().out.split("\n")
        lines = [line for line in lines[:-1] if line]
        assert lines == [str(n) for n in range(1, len(lines) + 1)]


@PATIENT
def test_what_is_frozen_can_be_killed(cluster):
    begin(cluster)
    tasks = [cluster[2].spawn(placed(what, node=3)) for what in ("spin", "sleep")]
    for task in tasks:
        task.wait_output("ready")
    cluster[2].spawn(placed("count", "/home/here", node=3))
    wait_counts(cluster, "here", 5)
    cluster.partition({3}, {1, 2})
    wait_state(cluster, 3, "frozen")
    guests = running(cluster[3])
    assert len(guests) == 3
    for pid in guests:
        cluster[3].run(f"kill -KILL {pid}")
    cluster.wait_until(lambda: not running(cluster[3]), "the guests are gone")
    assert view(cluster[3]).state == "frozen"
    cluster.heal()
    for task in tasks:
        assert task.wait().signal == 9


def test_others_that_went_on_have_ended_what_was_frozen(cluster):
    begin(cluster)
    ready(cluster, home=3, node=2)
    before = wait_agreed(cluster, [1, 2, 3])
    life = cluster[3].read("/sys/kernel/holon/incarnation")
    theirs = [cluster[2].spawn(placed("count", "/home/theirs", node=3)),
              cluster[2].spawn(placed("spin", node=3)),
              cluster[2].spawn(placed("signals", node=3), open_stdin=True)]
    ours = [cluster[3].spawn(placed("count", "/home/ours", "aloud", node=2)),
            cluster[3].spawn(placed("sleep", node=2))]
    theirs[1].wait_output("ready")
    theirs[2].wait_output("ready")
    wait_counts(cluster, "theirs", 10)
    wait_counts(cluster, "ours", 10)
    cluster[1].watch_events()
    cluster.partition({3}, {1, 2})
    after = wait_agreed(cluster, [1, 2])
    assert after.epoch == before.epoch + 1
    # At home they have ended, whatever they do over there: nothing, when it is fenced.
    for task in theirs:
        assert task.wait().signal == 9
    cluster[1].wait_event('"event":"fenced","node":3')
    assert shown(cluster[1], 3)["fenced"] is True
    assert view(cluster[3]).state == "frozen"
    stood = counted(cluster, "theirs")
    cluster.wait_until(lambda: not running(cluster[2]), "guests of the node that was lost end")

    cluster.heal()
    wait_agreed(cluster, [1, 2, 3], timeout=300)
    assert counted(cluster, "theirs") == stood
    assert running(cluster[3]) == []
    for task in ours:
        assert task.wait().signal == 9
    assert cluster[3].read("/sys/kernel/holon/incarnation") != life
    assert "fenced" not in shown(cluster[1], 3)
    ready(cluster, home=2, node=3)
    ready(cluster, home=3, node=2)


@PATIENT
def test_a_member_is_put_out_by_command(cluster):
    begin(cluster)
    before = wait_agreed(cluster, [1, 2, 3])
    for wrong, sentence in ((1, "use leave"), (9, "no member")):
        result = cluster[1].run(f"holon node evict id {wrong}", check=False)
        assert result.status == 1 and sentence in result.err
    assert cluster[1].run("holon node evict", check=False).status == 2
    life = cluster[3].read("/sys/kernel/holon/incarnation")
    task = cluster[2].spawn(placed("spin", node=3))
    task.wait_output("ready")
    cluster[3].watch_events()
    # Not the lowest: nobody but node 2 knows of it.
    cluster[2].run("holon node evict id 3")
    after = wait_agreed(cluster, [1, 2])
    assert after.epoch == before.epoch + 1
    assert task.wait().signal == 9
    cluster[3].wait_event('"event":"state".*"alone"')
    assert running(cluster[3]) == []
    assert cluster[3].read("/sys/kernel/holon/incarnation") != life
    # Of two, only the lower can go on alone.
    result = cluster[2].run("holon node evict id 1", check=False)
    assert result.status == 1 and "no quorum" in result.err
    # It stays out, as long as others need to join.
    cluster[2].run("holon node leave")
    wait_agreed(cluster, [1])
    cluster[2].run("holon node join")
    wait_agreed(cluster, [1, 2])
    assert view(cluster[3]).state == "alone"
    cluster[3].run("holon node join")
    wait_agreed(cluster, [1, 2, 3])
    ready(cluster, home=2, node=3)
