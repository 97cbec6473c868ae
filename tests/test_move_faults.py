"""
Whatever step of a move fails, is late or is the last one of a node: the process is in
exactly one place and goes on, or has died with a status that its parent sees.
"""

import json

import pytest

from probe import all_ready
from rpc_counters import DEBUG
from rpc_faults import EXEC, FORWARD, IMAGE, PAGES, fault, no_faults, wait_late
from runs import migrate, nothing_left, pid_of, usage
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, image="root", append=["slab_nomerge"])

# Has 8 MiB that it knows, and so many mappings that its image travels in pieces.
PROGRAM = """
import mmap, os, signal, sys, zlib
memory = bytearray(os.urandom(1 << 20)) * 8
sum = zlib.crc32(memory)
maps = [mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ + n % 2 * mmap.PROT_WRITE)
        for n in range(14000)]
signal.signal(signal.SIGUSR1, lambda *_: print('signal', flush=True))
print('pid', os.getpid(), flush=True)
for line in sys.stdin:
    print(f'{line.strip()} {zlib.crc32(memory) == sum}', flush=True)
"""


@pytest.fixture
def ready(cluster):
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    for node in cluster:
        node.write("/tmp/known.py", PROGRAM)
    yield cluster
    no_faults(cluster)


def begin(node):
    """The program, and its number."""
    task = node.spawn("exec python3 /tmp/known.py", open_stdin=True)
    return task, pid_of(task)


def begin_for(cluster, target):
    """The same of node 1, from where it moves to @target: from there, or from node 2 home."""
    one = cluster[1]
    task, pid = begin(one)
    if target == 1:
        migrate(one, pid, 2)
        answers(task, "there")
        # No fault is for the call in which it waits for the next line.
        cluster.wait_until(lambda: f"{FORWARD} deferred" in one.read(f"{DEBUG}/open"), "it waits")
    return task, pid


def place(node, pid):
    """Where it is, by the word of its home; one place at most has it."""
    return json.loads(node.out(f"holon -j task show pid {pid}"))["node"]


def answers(task, text):
    """It is there, with all of its memory."""
    task.input(f"{text}\n".encode())
    assert task.wait_output(rf"{text} (\w+)\n").group(1) == b"True"


def end(task):
    task.close_input()
    assert task.wait().status == 0


def late(cluster, callee, what, after, asks, pid, target, delay_ms):
    """Begin to move @pid to @target, and return when @what is late at node @callee."""
    node = cluster[callee]
    fault(node, "delay", what, after, delay_ms=delay_ms)
    move = asks.spawn(f"holon task migrate pid {pid} to {target}")
    wait_late(cluster, node)
    return move


# What fails, at which node, on the way to where, and behind how many messages of its kind.
STEPS = {
    "a piece of the image": (IMAGE, 2, 2, 0),
    "the guest": (EXEC, 2, 2, 0),
    "the first pages": (PAGES, 2, 2, 0),
    "later pages": (PAGES, 2, 2, 5),
    "a piece of the image home": (IMAGE, 1, 1, 0),
    "the beginning at home": (FORWARD, 1, 1, 0),
    "the first pages home": (PAGES, 1, 1, 0),
    "later pages home": (PAGES, 1, 1, 5),
    "the landing": (FORWARD, 1, 1, 1),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_fails(ready, step):
    """It stays where it is, as if nobody had asked, and the next move succeeds."""
    what, callee, target, after = STEPS[step]
    one = ready[1]
    before = {node.id: usage(node) for node in ready}
    task, pid = begin_for(ready, target)
    fault(ready[callee], "fail", what, after)
    result = migrate(one, pid, target, check=False)
    assert result.status == 1 and "stays where it is" in result.err, result
    assert place(one, pid) == (2 if target == 1 else 1)
    answers(task, "stayed")
    migrate(one, pid, target)
    assert place(one, pid) == target
    answers(task, "moved")
    end(task)
    nothing_left(ready, before)


@pytest.mark.parametrize("step", ["the guest", "later pages", "a piece of the image home",
                                  "later pages home"])
def test_a_step_is_late(ready, step):
    """Signals wait, another move is refused, and nothing is lost."""
    what, callee, target, after = STEPS[step]
    one = ready[1]
    task, pid = begin_for(ready, target)
    move = late(ready, callee, what, after, one, pid, target, 4000)
    other = migrate(ready[3], pid, 3, check=False)
    assert other.status == 1 and "is being moved" in other.err, other
    one.run(f"kill -USR1 {pid}")
    assert move.wait().status == 0
    # It breaks the call off that the program was in, as at home.
    task.wait_output("signal\n")
    assert place(one, pid) == target
    answers(task, "moved")
    end(task)


@pytest.mark.parametrize("step", ["the guest", "later pages", "later pages home"])
def test_it_is_ended_while_a_step_is_late(ready, step):
    what, callee, target, after = STEPS[step]
    one = ready[1]
    before = {node.id: usage(node) for node in ready}
    task, pid = begin_for(ready, target)
    move = late(ready, callee, what, after, one, pid, target, 4000)
    one.run(f"kill -TERM {pid}")
    move.wait()
    assert task.wait().signal == 15
    nothing_left(ready, before)


@pytest.mark.parametrize("step", ["the guest", "later pages"])
def test_the_target_dies(ready, step):
    """The process has never been there."""
    what, _, _, after = STEPS[step]
    one = ready[1]
    task, pid = begin(one)
    move = late(ready, 3, what, after, one, pid, 3, 60000)
    ready.kill(3)
    result = move.wait()
    assert result.status == 1 and "stays where it is" in result.err, result
    answers(task, "here")
    assert place(one, pid) == 1
    migrate(one, pid, 2)
    answers(task, "there")
    end(task)
    ready.revive(3)


def test_the_node_that_it_leaves_dies(ready):
    """Until it has landed it is there: it dies with the node, and its parent hears of that."""
    one = ready[1]
    task, pid = begin(one)
    migrate(one, pid, 3)
    move = late(ready, 1, PAGES, 3, one, pid, 1, 60000)
    ready.kill(3)
    move.wait()
    assert task.wait().signal == 9
    assert one.run(f"test -e /proc/{pid}", check=False).status == 1
    ready.revive(3)


@pytest.mark.parametrize("way", ["away", "home"])
def test_the_home_dies(ready, way):
    """Nothing of the process is left on the other node."""
    two, three = ready[2], ready[3]
    before = usage(two)
    task, pid = begin(three)
    if way == "away":
        late(ready, 2, PAGES, 3, three, pid, 2, 60000)
    else:
        migrate(three, pid, 2)
        answers(task, "there")
        late(ready, 3, PAGES, 3, three, pid, 3, 60000)
    ready.kill(3)
    wait_agreed(ready, [1, 2])
    nothing_left(ready, {2: before})
    ready.revive(3)
