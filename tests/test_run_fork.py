"""A program that runs away from home forks: its children are processes like any, at home and there."""

import pytest

from rpc_counters import rpc
from runs import nothing_left, outcome, same, there, usage
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=2, image="root", append=["slab_nomerge"])

SCRIPTS = {
    "pipeline": "seq 1 2000 | grep 7 | sort -r | head -3",
    "substitution": "a=$(echo one; echo two); echo \"[$a]\"",
    "background": "for i in 1 2 3; do (echo $i) & done | sort; wait; echo all",
    "status": "sh -c 'exit 7'; echo $?; sh -c 'kill -9 $$' 2>/dev/null; echo $?",
    "own numbers": "sh -c 'test $PPID = '$$ && echo parent",
    "here document": "cat <<END | tr a-z A-Z\nsome text\nEND",
    "groups": "set -m; sleep 100 & kill -STOP %1; until jobs | grep -q Stopped; do :; done; "
              "kill %1; kill -CONT %1; wait %1; echo $?",
    "trap": "trap 'echo child' CHLD; /bin/true; true",
}


@pytest.fixture
def ready(cluster):
    wait_agreed(cluster, [1, 2])
    cluster.wait_until(lambda: cluster[1].run(there(2) + "true", check=False).status == 0,
                       "node 2 takes processes", timeout=180)
    return cluster


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_shells(ready, name):
    script = SCRIPTS[name].replace("'", "'\\''")
    # What bash says about jobs has their numbers in it.
    assert same(ready[1], f"{{}} bash -c '{script}' 2>/dev/null", 2)


def test_posix_spawn_and_fork_of_python(ready):
    program = """
import os, subprocess, sys
print(subprocess.run(["sh", "-c", "echo $0; exit 3", "arg"], capture_output=True))
r, w = os.pipe()
pid = os.fork()
if not pid:
    os.write(w, str(os.getppid() == int(sys.argv[1] or os.getppid())).encode())
    os._exit(5)
os.close(w)
print(os.read(r, 100), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
pid = os.posix_spawn("/bin/true", ["true"], os.environ)
print(os.waitpid(pid, 0) == (pid, 0))
"""
    ready[1].write("/tmp/fork.py", program)
    assert same(ready[1], "{} python3 /tmp/fork.py ''", 2)


def test_a_child_polls_what_it_inherited(ready):
    """Its first words are a question, which its deputy must not miss."""
    program = """
import os, select
for turn in range(30):
    r, w = os.pipe()
    pid = os.fork()
    if not pid:
        poll = select.epoll()
        poll.register(r, select.EPOLLIN)
        os._exit(0 if poll.poll(60) == [(r, select.EPOLLIN)] else 1)
    os.write(w, b"x")
    assert os.waitpid(pid, 0)[1] == 0
    os.close(r), os.close(w)
print("ok")
"""
    ready[1].write("/tmp/poll.py", program)
    assert outcome(ready[1], there(2) + "python3 /tmp/poll.py")[1] == b"ok\n"


def test_children_are_seen_at_home(ready):
    one, two = ready[1], ready[2]
    task = one.spawn(there(2) + "sh -c 'sleep 1000 & sleep 1000 & echo up; wait'")
    task.wait_output("up")
    ready.wait_until(lambda: one.run("pgrep -c -x sleep", check=False).out.strip() == "2",
                     "both are at home")
    assert two.out("pgrep -c -x sleep").strip() == "2"
    parent = int(one.out("pgrep -o -x sleep | xargs -I{} ps -o ppid= -p {}"))
    assert one.out(f"ps -o comm= -p {parent}").strip() == "sh"
    # Signals from home reach them; their parent hears of it.
    one.run("pkill -x sleep")
    assert task.wait().status == 0
    ready.wait_until(lambda: two.run("pgrep -x sleep", check=False).status == 1, "none is left")


def test_many_leave_nothing(ready):
    one = ready[1]
    line = there(2) + "bash -c 'for i in $(seq 100); do (exit 3) | true & done; wait; echo ok'"
    assert outcome(one, line)[1] == b"ok\n"
    before = {node.id: usage(node) for node in ready}
    for _ in range(2):
        assert outcome(one, line)[1] == b"ok\n"
    nothing_left(ready, before)


def test_killed_while_it_forks(ready):
    """Wherever the fork is then: no half is left without the other."""
    one = ready[1]
    before = {node.id: usage(node) for node in ready}
    loop = there(2) + "bash -c 'while :; do /bin/true & (exit 1); wait; done'"
    for forks in range(1, 13):
        wanted = rpc(one)["task_fork.handled"] + forks
        task = one.spawn(loop)
        ready.wait_until(lambda wanted=wanted: rpc(one)["task_fork.handled"] >= wanted, "it forks")
        task.kill()
        task.wait()
        one.run("pkill -9 -x bash", check=False)
    nothing_left(ready, before)
