"""
holon task show: where a process is and whether it could be moved, the same from every
node; and holon monitor task: when it moves.
"""

import json

import pytest

from probe import all_ready
from runs import COUNTER, answers, migrate, pid_of, there
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, image="root")


@pytest.fixture
def ready(cluster):
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    return cluster


def ask(node, pid, **options):
    return json.loads(node.run(f"holon -j task show pid {pid}", **options).out)


def listed(node):
    return {task["pid"]: task for task in json.loads(node.out("holon -j task show"))}


def end(task):
    task.close_input()
    assert task.wait().status == 0


def test_a_process_is_the_same_from_everywhere(ready):
    one = ready[1]
    task = one.spawn(COUNTER, open_stdin=True)
    pid = pid_of(task)
    expected = {"pid": pid, "home": 1, "node": 1, "state": "home", "threads": 1, "moves": 0,
                "comm": "bash", "movable": True}
    for target in (1, 2, 3, 1):
        migrate(one, pid, target)
        if target != expected["node"]:
            # By way of home it moves twice.
            expected["moves"] += 2 if expected["state"] == "away" and target != 1 else 1
        expected.update(node=target, state="home" if target == 1 else "away")
        for node in ready:
            shown = ask(node, pid)
            assert shown.pop("memory-kib") > 100
            assert shown == expected
        away = {1: target != 1, 2: target == 2, 3: target == 3}
        # What is left where it was is there for a moment.
        ready.wait_until(lambda away=away: {node.id: pid in listed(node) for node in ready} == away,
                         f"it is listed on {away}")
        answers(task, f"at{target}")
    end(task)
    for node in ready:
        said = node.run(f"holon task show pid {pid}", check=False)
        assert said.status == 1 and "the process has ended" in said.err


def test_a_program_that_was_placed(ready):
    task = ready[1].spawn(there(2) + COUNTER, open_stdin=True)
    pid = pid_of(task)
    shown = ask(ready[1], pid)
    assert (shown["node"], shown["state"], shown["moves"]) == (2, "away", 1)
    line, = [line for line in ready[2].out("holon task show").splitlines() if f"{pid} " in line]
    assert line.split()[1:4] == ["1", "2", "away"]
    end(task)


def test_a_question_changes_nothing(ready):
    """Asked all the time: calls end when they would, timers fire, threads go on."""
    one = ready[1]
    one.write("/tmp/asked.py", """
import os, select, signal, sys, threading, time
fired = []
signal.signal(signal.SIGALRM, lambda *_: fired.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
work = threading.Thread(target=lambda: sum(range(10 ** 6)))
work.start()
print('pid', os.getpid(), flush=True)
begin = time.monotonic()
while time.monotonic() - begin < 8:
    time.sleep(0.1)
work.join()
assert len(fired) > 20, fired
signal.setitimer(signal.ITIMER_REAL, 0)
print('good', flush=True)
""")
    for place in ("", there(2)):
        task = one.spawn(place + "python3 /tmp/asked.py")
        pid = pid_of(task)
        for _ in range(10):
            shown = ask(one, pid)
            assert shown["moves"] == (1 if place else 0)
            assert shown["threads"] in (1, 2)
        result = task.wait()
        assert result.status == 0 and "good" in result.out, result


def test_what_cannot_move_is_told(ready):
    one = ready[1]
    shared = "python3 -c 'import mmap, os, sys; m = mmap.mmap(-1, 4096); " \
             "print(\"pid\", os.getpid(), flush=True); sys.stdin.read()'"
    task = one.spawn(shared, open_stdin=True)
    pid = pid_of(task)
    for node in ready:
        shown = ask(node, pid)
        assert not shown["movable"] and "or shared memory" in shown["reason"]
    end(task)

    task = one.spawn(COUNTER, open_stdin=True)
    pid = pid_of(task)
    for node in (one, ready[2]):
        shown = ask(node, pid, uid=1000, gid=1000)
        assert shown["reason"] == "it belongs to another user" and shown["comm"] == "bash"
    one.run(["kill", "-STOP", str(pid)])
    assert "it is stopped" in ask(one, pid)["reason"]
    one.run(["kill", "-CONT", str(pid)])
    assert ask(one, pid)["movable"]
    assert "part of the system" in ask(one, 1)["reason"]
    answers(task, "still")
    end(task)


def test_moves_are_told(ready):
    one = ready[1]
    monitor = one.spawn(["holon", "-j", "monitor", "task"])
    monitor.wait_output('"event":"now".*\n')
    task = one.spawn(COUNTER, open_stdin=True)
    pid = pid_of(task)
    for target in (2, 3, 1):
        migrate(one, pid, target)
    monitor.wait_output('"from":3,"node":1.*\n')
    monitor.signal(15)
    events = [e for e in map(json.loads, monitor.wait().out.splitlines()) if e["event"] == "task"]
    assert [(e["from"], e["node"]) for e in events] == [(1, 2), (2, 1), (1, 3), (3, 1)]
    assert all((e["pid"], e["home"], e["comm"]) == (pid, 1, "bash") for e in events)
    end(task)
