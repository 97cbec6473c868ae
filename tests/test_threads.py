"""
Processes with several threads away from home: made there, or moved; each thread is one
there and at home, and all end as one.
"""

import pytest

from probe import all_ready
from runs import nothing_left, there, usage
from selftests import place
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, image="root", append=["slab_nomerge"])

# How a process is started, and where it is moved before it goes on.
WAYS = {
    "home": ("", ()),
    "made_there": (there(2), ()),
    "moved": ("", (2,)),
    "made_there_and_home": (there(2), (1,)),
    "moved_on": ("", (2, 3)),
    "moved_and_back": ("", (2, 1)),
}


@pytest.fixture
def ready(cluster):
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    return cluster


@pytest.fixture
def program(ready):
    return place(ready, "threads")


def begin(cluster, program, mode, way="home"):
    """The program, where it is to be, before it does what its mode says; and its number."""
    prefix, moves = WAYS[way]
    task = cluster[1].spawn(f"exec {prefix}{program} {mode}", open_stdin=True)
    pid = int(task.wait_output(r"pid (\d+)\n").group(1))
    for target in moves:
        cluster[1].run(f"holon task migrate pid {pid} to {target}", timeout=120)
    return task, pid


def go_on(task):
    task.input(b"x\n")
    return task.wait()


def ended(result):
    return 128 + result.signal if result.signal else result.status


ENDS = {
    "exit": (3, "", ""),
    "crash": (128 + 11, "", ""),
    "exec": (5, "executed\n", ""),
    "main-exec": (5, "executed\n", ""),
    "main-ends": (0, "main has ended\n", ""),
    "many": (0, "200 threads\n", ""),
    "files": (0, "served\n", ""),
    "polls": (0, "0 broken off\n", ""),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ENDS)
def test_ends(ready, program, mode, way):
    status, out, err = ENDS[mode]
    result = go_on(begin(ready, program, mode, way)[0])
    assert ended(result) == status, result
    assert result.out.split("\n", 1)[1] == out and result.err == err, result


@pytest.mark.parametrize("way", ["made_there", "moved", "moved_and_back"])
def test_killed(ready, program, way):
    """From outside, at once and all of it."""
    task, pid = begin(ready, program, "many", way)
    threads = ready[1].out(f"ls /proc/{pid}/task | wc -l")
    assert int(threads) == 201
    ready[1].run(f"/bin/kill -KILL {pid}")
    assert ended(task.wait()) == 128 + 9


@pytest.mark.parametrize("way", ["made_there", "moved"])
def test_stopped_and_continued(ready, program, way):
    task, pid = begin(ready, program, "exit", way)
    for _ in range(3):
        ready[1].run(f"/bin/kill -STOP {pid}")
        ready.wait_until(lambda: "T (stopped)" in ready[1].out(f"cat /proc/{pid}/status"),
                         "it has stopped")
        ready[1].run(f"/bin/kill -CONT {pid}")
        ready.wait_until(lambda: "T (stopped)" not in ready[1].out(f"cat /proc/{pid}/status"),
                         "it goes on")
    assert ended(go_on(task)) == 3


def test_who_looks_breaks_no_wait(ready, program):
    """Each look at whether it could move wakes all threads; the calls that they are in go on."""
    task, pid = begin(ready, program, "polls", "made_there")
    ready[1].run(f"for i in $(seq 50); do holon task show pid {pid} || exit; done", timeout=120)
    result = go_on(task)
    assert ended(result) == 0 and "\n0 broken off\n" in result.out, result


@pytest.mark.parametrize("target", [1, 2])
def test_killed_while_it_moves(ready, program, target):
    """At whatever step: its parent hears of it once, and no thread is left anywhere."""
    before = {node.id: usage(node) for node in ready}
    for wait in range(12):
        task, pid = begin(ready, program, "exit", "moved" if target == 1 else "home")
        ready[1].run(f"(holon task migrate pid {pid} to {target} &) ; sleep 0.{wait * 3:02}; "
                     f"/bin/kill -KILL {pid}")
        assert ended(task.wait()) == 128 + 9
    nothing_left(ready, before)


def test_its_node_dies(ready, program):
    task = begin(ready, program, "exit", "made_there")[0]
    ready.kill(2)
    assert ended(task.wait()) == 128 + 9
    ready.revive(2)
    wait_agreed(ready, [1, 2, 3])


def test_it_ends_while_it_moves(ready, program):
    """A thread ends all of them, executes another program, or crashes."""
    for mode in ("exit", "exec", "crash", "files"):
        for wait in range(6):
            task, pid = begin(ready, program, mode, "moved" if wait % 2 else "home")
            ready[1].run(f"(holon task migrate pid {pid} to {wait % 2 or 2} &) ; "
                         f"sleep 0.0{wait}")
            assert ended(go_on(task)) == ENDS[mode][0]
