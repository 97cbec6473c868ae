"""
A process leaves files behind that cannot go with it: it uses them from wherever it is, like
those that share them.
"""

import pytest

from probe import all_ready
from rpc_counters import rpc
from runs import migrate, pid_of, there
from selftests import check, place
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, image="root", append=["slab_nomerge"])

STATES = ["file shared there", "large file shared there", "file appended to there",
          "attributes of a file shared there", "lock of a description there", "file deleted there",
          "limit of file sizes there", "file opened by its link there",
          "epoll and signalfd shared there"]
# With a lock of its own (fcntl) on a file of the node where it is, a process stays there. And a
# directory of ext4, which the test host may use, is found empty, once, when it is read at its
# end first and then from the beginning.
LOOP_ONLY = ["locks of a process there", "locks that are waited for there", "directory shared there"]


@pytest.fixture
def ready(cluster):
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    return cluster


def held(node):
    """Files that others have open here, that are mapped here, that others host: how many."""
    return node.out("holon stats counter | awk '$2 ~ /^files-/ { print $3 }'").split()


def nothing_held(cluster):
    for node in cluster:
        cluster.wait_until(lambda node=node: held(node) == ["0", "0", "0"],
                           f"node {node.id} has closed what others use")


@pytest.mark.parametrize("mode, name", [*(("loop", name) for name in STATES + LOOP_ONLY),
                                        *(("busy", name) for name in STATES)])
def test_states(ready, mode, name):
    before = rpc(ready[1]).get("export_open.calls", 0)
    check(ready[1].run([place(ready, "move"), mode, name], check=False, timeout=600))
    nothing_held(ready)
    if "directory" not in name and "epoll" not in name:
        assert rpc(ready[1])["export_open.calls"] > before


def test_attributes_as_a_user(ready):
    """The host changes them with the rights of who asks."""
    ready[1].run("chmod 1777 /home")
    check(ready[1].run([place(ready, "move"), "loop", "attributes of a file shared there"],
                       check=False, timeout=600, uid=1000, gid=1000))


# Three processes share a file that the first has opened; each in its turn says where it wrote.
TURNS = r"""
import os, sys
out = os.open('/home/turns', os.O_RDWR | os.O_CREAT | os.O_TRUNC)
def serve(name, reader):
    print('pid', name, os.getpid(), flush=True)
    for line in reader:
        os.write(out, f'{name} {line}'.encode())
        print('wrote', name, os.lseek(out, 0, os.SEEK_CUR), flush=True)
for name in 'ab':
    if not os.fork():
        serve(name, open(f'/tmp/turns-{name}'))
        os._exit(0)
serve('c', open('/tmp/turns-c'))
os.wait(), os.wait()
print(os.pread(out, 1000000, 0).decode(), flush=True)
"""


@pytest.fixture
def turns(ready):
    """What the three have been told, and a way to tell them more; they have begun on node 2."""
    one, told, size = ready[1], [], 0
    one.write("/tmp/turns.py", TURNS)
    one.run("mkfifo /tmp/turns-a /tmp/turns-b /tmp/turns-c")
    task = one.spawn(there(2) + "python3 /tmp/turns.py")
    tellers = {name: one.spawn(f"cat > /tmp/turns-{name}", open_stdin=True) for name in "abc"}
    pids = {name: int(task.wait_output(rf"pid {name} (\d+)\n").group(1)) for name in "abc"}

    def tell(name):
        nonlocal size
        told.append(f"{name} {len(told)}\n")
        size += len(told[-1])
        tellers[name].input(told[-1][2:].encode())
        task.wait_output(rf"wrote {name} {size}\n")

    tell.pids, tell.told, tell.task, tell.tellers = pids, told, task, tellers
    return tell


def test_shared_from_three_nodes(ready, turns):
    """Each byte is where it would be if they had never parted."""
    one = ready[1]
    for name in "abc":
        turns(name)
    for moves in ((("a", 1),), (("b", 3),), (("c", 1), ("a", 3)), (("b", 1),), (("c", 2),),
                  (("a", 2), ("b", 2)), (("c", 3),)):
        for name, node in moves:
            migrate(one, turns.pids[name], node)
        for name in "cab":
            turns(name)
    for teller in turns.tellers.values():
        teller.close_input()
    result = turns.task.wait()
    assert result.status == 0
    assert "".join(turns.told) in result.out, result.out
    assert ready[3].read("/home/turns") == "".join(turns.told)
    nothing_held(ready)


# Its parent is at home, where it uses what the child on node 2 has, too.
LEFT = r"""
import errno, fcntl, os, sys
out = os.open('/home/left', os.O_RDWR | os.O_CREAT | os.O_TRUNC)
waits, ends = os.pipe()
child = os.fork()
if not child:
    os.close(ends)
    os.read(waits, 1)
    os._exit(0)
print('pid', os.getpid(), flush=True)
for line in sys.stdin:
    try:
        if line == 'lock\n':
            fcntl.lockf(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        print('wrote', os.write(out, line.encode()), flush=True)
    except OSError as error:
        print('failed', errno.errorcode[error.errno], flush=True)
os.close(ends)
print('child', os.waitpid(child, 0)[1], flush=True)
os._exit(0)
"""


def leave_behind(node):
    """The program, moved home to @node from node 2."""
    node.write("/tmp/left.py", LEFT)
    task = node.spawn(there(2) + "python3 /tmp/left.py", open_stdin=True)
    migrate(node, pid_of(task), node.id)
    task.input(b"lock\n")
    task.wait_output("wrote 5")
    return task


def test_the_host_dies(ready):
    """What is left of it says so, and the process goes on."""
    task = leave_behind(ready[1])
    assert held(ready[1]) == ["0", "0", "1"] and held(ready[2]) == ["1", "0", "0"]
    ready.kill(2)
    wait_agreed(ready, [1, 3])
    task.input(b"more\n")
    task.wait_output("failed EHOSTDOWN")
    task.close_input()
    task.wait_output("child 9\n")
    assert task.wait().status == 0
    assert held(ready[1]) == ["0", "0", "0"]


def test_the_home_dies(ready):
    """With those that have used it nothing of it is left at the host, nor are their locks."""
    leave_behind(ready[3])
    two = ready[2]
    lock = "python3 -c \"import fcntl; fcntl.lockf(open('/home/left', 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)\""
    assert two.run(lock, check=False).status == 1
    ready.kill(3)
    wait_agreed(ready, [1, 2])
    ready.wait_until(lambda: held(two) == ["0", "0", "0"], "node 2 has closed the file")
    ready.wait_until(lambda: two.run(lock, check=False).status == 0, "nobody has it locked")
