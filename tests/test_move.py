"""
A process that runs is moved between nodes: it is what it was, its calls go on, and
it runs in exactly one place whatever happens meanwhile.
"""

import pytest

from probe import all_ready, ready as takes_processes
from rpc_counters import rpc
from runs import COUNTER, answers, migrate, nothing_left, outcome, pid_of, there, usage
from selftests import check, place
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, image="root", append=["slab_nomerge"])


@pytest.fixture
def ready(cluster):
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    return cluster


@pytest.fixture
def states(ready):
    """The programs; they end with all that they have made."""
    yield place(ready, "move")
    for node in ready:
        ready.wait_until(lambda node=node: node.run(["pgrep", "-x", "move"], check=False).status,
                         f"node {node.id} has no program of the test")


def runs_on(node):
    """Is a process of ours among those of the node?"""
    return node.run(["pgrep", "-f", "echo got-|large[.]py"], check=False).status == 0


def cluster_sees(cluster, node, here):
    """What has gone is a zombie for a moment."""
    cluster.wait_until(lambda: runs_on(node) == here,
                       f"node {node.id} has {'it' if here else 'none'}")


@pytest.mark.parametrize("mode", ["stay", "back"])
def test_states(ready, states, mode):
    check(ready[1].run([states, mode], check=False, timeout=900))


# Each of these while the process is moved all the time.
BUSY = ["16 MiB", "vector registers", "pending signals", "children", "shared file", "TCP",
        "epoll_wait", "semop", "sigwaitinfo",
        "nanosleep", "poll", "read", "futex", "computing", "64 threads", "threads that compute",
        "threads at a condition", "signal for the process", "threads come and go",
        "threads at timed waits", "timers", "descriptors made there"]


@pytest.mark.parametrize("name", BUSY)
def test_moved_all_the_time(ready, states, name):
    check(ready[1].run([states, "busy", name], check=False, timeout=300))


@pytest.mark.long
@pytest.mark.parametrize("mode", ["loop", "busy"])
def test_states_for_long(ready, states, mode):
    check(ready[1].run(["env", "MOVE_LOOPS=100", states, mode], check=False, timeout=20000))


def test_from_node_to_node(ready):
    """Whoever asks, on whatever node; and each place is seen in the process lists."""
    one, two, three = ready
    task = one.spawn(COUNTER, open_stdin=True)
    pid = pid_of(task)
    for turn, (asks, target) in enumerate(((one, 2), (two, 3), (three, 2), (three, 1), (two, 3))):
        migrate(asks, pid, target)
        answers(task, f"turn{turn}")
        for node in (two, three):
            cluster_sees(ready, node, node.id == target)
    # It is there already.
    migrate(one, pid, 3)
    task.close_input()
    assert task.wait().status == 0


def test_who_may_move_what(ready):
    one = ready[1]
    task = one.spawn(COUNTER, open_stdin=True)
    pid = pid_of(task)
    for uid, wanted, said in ((1000, pid, "belongs to another user"),
                              (0, 1, "part of the system"),
                              (0, 999999, "has ended")):
        result = one.run(f"holon task migrate pid {wanted} to 2", check=False, uid=uid, gid=uid)
        assert result.status == 1 and said in result.err, result
    result = one.run(f"holon task migrate pid {pid} to 9", check=False)
    assert result.status == 1 and "no member" in result.err
    result = ready[2].run(f"holon task migrate pid {pid} to 2", check=False, uid=1000, gid=1000)
    assert result.status == 1 and "belongs to another user" in result.err
    # Its owner may.
    own = one.spawn(COUNTER, open_stdin=True, uid=1000, gid=1000)
    migrate(one, pid_of(own), 2, uid=1000, gid=1000)
    answers(own, "own")
    own.close_input()
    assert own.wait().status == 0
    answers(task, "still")
    task.close_input()
    assert task.wait().status == 0


CANNOT = {
    "it shares the mapping of a file that only its node has":
        "import mmap\nf = open('/tmp/mapped', 'w+b')\nf.write(b'x' * 4096)\nf.flush()\n"
        "m = mmap.mmap(f.fileno(), 4096)",
    "or shared memory":
        "import mmap\nm = mmap.mmap(-1, 4096)",
    # Whose page goes with the process, when none is kept.
    "it maps a device, huge pages":
        "import mmap\ndef keep(pages):\n"
        "    with open('/proc/sys/vm/nr_hugepages', 'w') as file:\n        file.write(pages)\n"
        "keep('1')\nm = mmap.mmap(-1, 2 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)\n"
        "m[0] = 1\nkeep('0')",
    # With a thread of the kernel among its own.
    "it uses io_uring":
        "import ctypes\nlibc = ctypes.CDLL(None)\nparams = (ctypes.c_uint32 * 30)()\n"
        "params[2] = 2\nring = libc.syscall(425, 8, params)\nassert ring >= 0, ring",
    "it has a seccomp filter with a listener":
        "import ctypes\nlibc = ctypes.CDLL(None)\n"
        "program = (ctypes.c_uint64 * 1)(0x7fff000000000006)\n"
        "class Prog(ctypes.Structure):\n"
        "    _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.c_void_p)]\n"
        "p = Prog(1, ctypes.addressof(program))\n"
        "assert not libc.prctl(38, 1, 0, 0, 0)\n"
        "listener = libc.syscall(317, 1, 8, ctypes.byref(p))\n"
        "assert listener >= 0, ctypes.get_errno()\n"
        "import os\nr, w = os.pipe()\n"
        "if not os.fork():\n    os.close(w)\n    os.read(r, 1)\n    os._exit(0)\n"
        "os.close(listener)\nos.close(r)",
}


@pytest.mark.parametrize("why", sorted(CANNOT))
def test_what_cannot_move_says_why(ready, why):
    """And goes on as if nobody had asked."""
    one = ready[1]
    one.write("/tmp/cannot.py", CANNOT[why] + "\nimport os, sys\nprint('pid', os.getpid(), flush=True)\n"
              "for line in sys.stdin:\n    print('got-' + line.strip() + '-', flush=True)\n"
              "os._exit(0)\n")
    task = one.spawn("python3 /tmp/cannot.py", open_stdin=True)
    pid = pid_of(task)
    result = migrate(one, pid, 2, check=False)
    assert result.status == 1 and why in result.err, result
    answers(task, "on")
    task.close_input()
    assert task.wait().status == 0


def test_a_call_that_has_to_run_at_home_brings_it_home(ready):
    """The process notices nothing: a program with threads, a mount, a new namespace."""
    one = ready[1]
    homed = int(one.out("holon stats counter | awk '$2 == \"homed\" { print $3 }'"))
    program = ("import threading; out = []; "
               "t = [threading.Thread(target=out.append, args=(n,)) for n in range(20)]; "
               "[x.start() for x in t]; [x.join() for x in t]; print(sum(out))")
    assert outcome(one, there(2) + f"python3 -c '{program}'")[1] == b"190\n"
    assert outcome(one, there(2) + "sh -c 'mkdir -p /tmp/m && mount -t tmpfs none /tmp/m && "
                   "touch /tmp/m/inside && ls /tmp/m && umount /tmp/m && ls /tmp/m'")[:2] == \
        (0, b"inside\n")
    assert outcome(one, there(2) + "unshare -u sh -c 'hostname other; hostname'")[1] == b"other\n"
    assert int(one.out("holon stats counter | awk '$2 == \"homed\" { print $3 }'")) >= homed + 3


def test_a_program_of_home_runs_at_home(ready):
    """What only home has cannot be executed elsewhere: the process goes there."""
    one = ready[1]
    one.run("cp /bin/echo /tmp/own-echo")
    assert outcome(one, there(2) + "sh -c 'exec /tmp/own-echo hello'")[1] == b"hello\n"


def test_a_program_that_only_home_has_moves(ready):
    """Its file, and after an upgrade its deleted file, is read from there."""
    one = ready[1]
    one.run("cp /bin/bash /tmp/own-bash")
    task = one.spawn(COUNTER.replace("bash", "/tmp/own-bash"), open_stdin=True)
    pid = pid_of(task)
    before = rpc(ready[2]).get("paged_read.calls", 0)
    migrate(one, pid, 2)
    answers(task, "two")
    assert rpc(ready[2])["paged_read.calls"] > before
    assert one.out(f"readlink /proc/{pid}/exe") == "/tmp/own-bash"
    one.run("rm /tmp/own-bash")
    migrate(one, pid, 3)
    answers(task, "three")
    migrate(one, pid, 1)
    answers(task, "one")
    migrate(one, pid, 3)
    answers(task, "deleted")
    task.close_input()
    assert task.wait().status == 0
    for node in ready:
        ready.wait_until(lambda node=node: mapped(node) == ["0", "0", "0"],
                         f"node {node.id} has closed what was mapped")


def mapped(node):
    """Of files that others use, that others have and are mapped here, or are open here: how many."""
    return node.out("holon stats counter | awk '$2 ~ /^files-/ { print $3 }'").split()


LARGE = "import os, sys\nm = bytearray(os.urandom(1 << 20)) * {megabytes}\n" \
        "print('pid', os.getpid(), flush=True)\n" \
        "for line in sys.stdin:\n    print('got-' + line.strip() + '-', flush=True)\n"


@pytest.mark.parametrize("program, step", [(COUNTER, 0.01), ("python3 /tmp/large.py", 0.06)],
                         ids=["small", "large"])
@pytest.mark.parametrize("where", ["away", "home"])
def test_killed_while_it_moves(ready, where, program, step):
    """At whatever step: the parent hears of it once, and nothing is left."""
    one = ready[1]
    one.write("/tmp/large.py", LARGE.format(megabytes=20))
    before = {node.id: usage(node) for node in ready}
    for wait in range(20):
        task = one.spawn(program, open_stdin=True)
        pid = pid_of(task)
        if where == "home":
            migrate(one, pid, 2)
        target = 2 if where == "away" else 1
        # Who moves it hears of the end, too.
        status = one.run(f"holon task migrate pid {pid} to {target} & "
                         f"sleep {wait * step:.2f}; /bin/kill -KILL {pid}; wait", check=False)
        assert status.status == 0, status
        assert task.wait().status == 128 + 9
        cluster_sees(ready, ready[2], False)

    nothing_left(ready, before)


def test_stopped_and_continued_while_it_moves(ready):
    one = ready[1]
    task = one.spawn(COUNTER, open_stdin=True)
    pid = pid_of(task)
    for turn in range(6):
        one.run(f"(holon task migrate pid {pid} to {2 - turn % 2} &) ; /bin/kill -STOP {pid}; "
                f"sleep 0.{turn}; /bin/kill -CONT {pid}")
        answers(task, f"turn{turn}")
    task.close_input()
    assert task.wait().status == 0


def test_the_node_dies_while_it_goes_there(cluster):
    """Either it had not gone, and goes on, or it dies with the node."""
    wait_agreed(cluster, [1, 2, 3])
    one = cluster[1]
    # So much memory that the node dies in the middle of it.
    one.write("/tmp/large.py", LARGE.format(megabytes=100))
    takes_processes(cluster, 1, 3)
    task = one.spawn("python3 /tmp/large.py", open_stdin=True)
    pid = pid_of(task)
    pages = rpc(one)["task_pages.calls"]
    move = one.spawn(f"holon task migrate pid {pid} to 3")
    cluster.wait_until(lambda: rpc(one)["task_pages.calls"] > pages + 5, "it is on its way")
    cluster.kill(3)
    result = move.wait()
    assert result.status == 1 and "stays where it is" in result.err, result
    answers(task, "here")
    task.close_input()
    assert task.wait().status == 0
    cluster.revive(3)
    wait_agreed(cluster, [1, 2, 3])
