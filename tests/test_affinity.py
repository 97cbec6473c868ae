"""
The processors that a program, or one of its threads, has asked for are those it runs on
wherever it is, as far as they are there.
"""

import pytest

from probe import all_ready
from runs import migrate, pid_of, there
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, image="root", cpus=2)

CPU1 = "/sys/devices/system/cpu/cpu1/online"

# Says for each line what its threads may run on: the first one, and one that has asked itself.
PROGRAM = """
import os, sys, threading
asked, answer = threading.Semaphore(0), threading.Semaphore(0)
def thread():
    os.sched_setaffinity(0, {0})
    while True:
        asked.acquire()
        print(sorted(os.sched_getaffinity(0)), flush=True)
        answer.release()
threading.Thread(target=thread, daemon=True).start()
print('pid', os.getpid(), flush=True)
for line in sys.stdin:
    if line.strip() == 'all':
        os.sched_setaffinity(0, {0, 1})
    print(line.strip(), sorted(os.sched_getaffinity(0)), end=' ', flush=True)
    asked.release()
    answer.acquire()
"""


@pytest.fixture
def ready(cluster):
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    cluster[1].write("/tmp/affinity.py", PROGRAM)
    yield cluster
    for node in cluster:
        node.write(CPU1, "1")


def begin(node, prefix=""):
    task = node.spawn(f"exec taskset -c 1 {prefix}python3 /tmp/affinity.py", open_stdin=True)
    return task, pid_of(task)


def may(task, line):
    """What the first thread and the other one may run on."""
    task.input(f"{line}\n".encode())
    found = task.wait_output(rf"{line} \[([0-9, ]+)\] \[([0-9, ]+)\]\n")
    return found.group(1).decode(), found.group(2).decode()


def end(task):
    task.close_input()
    assert task.wait().status == 0


def test_a_program_that_is_placed(ready):
    one = ready[1]
    look = "grep Cpus_allowed_list /proc/self/status"
    for cpu in (0, 1):
        assert one.out(f"taskset -c {cpu} {there(2)}{look}").split()[1] == str(cpu)
    assert one.out(there(2) + look).split()[1] == "0-1"


def test_threads_that_move(ready):
    one = ready[1]
    task, pid = begin(one)
    assert may(task, "home") == ("1", "0")
    for turn, target in enumerate((2, 3, 1, 2)):
        migrate(one, pid, target)
        assert may(task, f"turn{turn}") == ("1", "0")
    # What it asks for there comes home with it.
    assert may(task, "all") == ("0, 1", "0")
    migrate(one, pid, 1)
    assert may(task, "back") == ("0, 1", "0")
    end(task)


def test_a_processor_that_is_not_there(ready):
    """It runs on what there is, and where the processor is on that one again."""
    one = ready[1]
    task, pid = begin(one, there(2))
    assert may(task, "placed") == ("1", "0")
    ready[3].write(CPU1, "0")
    migrate(one, pid, 3)
    assert may(task, "without") == ("0", "0")
    migrate(one, pid, 2)
    assert may(task, "with") == ("1", "0")
    end(task)
