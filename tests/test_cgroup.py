"""
Limits of the control group at home: memory, process numbers and processor time are bounded
where a process runs, and its parent sees the same end as at home.
"""

import re

import pytest

from probe import all_ready
from runs import COUNTER, answers, migrate, outcome, pid_of, there
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, image="root")

GROUP = "/sys/fs/cgroup/limited"
CONTAINER = "/sys/fs/cgroup/holon.slice/home-1"
# Touches so many MiB, bit by bit.
EAT = "python3 -c 'm = [bytearray(1 << 20) for _ in range({})]; print(len(m))'"


@pytest.fixture
def ready(cluster):
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    yield cluster
    cluster.wait_until(lambda: not cluster[1].run(f"! test -e {GROUP} || rmdir {GROUP}/inner {GROUP}",
                                                  check=False).status, "the group is empty")


@pytest.fixture
def limit(ready):
    """Make a group of node 1 with limits below one with others: limit(inner={...}, ...)."""
    one = ready[1]

    def make(inner, outer=None):
        one.run(f"echo '+memory +pids +cpu' > /sys/fs/cgroup/cgroup.subtree_control; "
                f"mkdir -p {GROUP} && echo '+memory +pids +cpu' > {GROUP}/cgroup.subtree_control; "
                f"mkdir -p {GROUP}/inner")
        for group, limits in ((GROUP, outer or {}), (f"{GROUP}/inner", inner)):
            for name, value in limits.items():
                one.write(f"{group}/{name}", value)
    return make


def inside(command):
    """@command as a process of the group."""
    return f"echo $$ > {GROUP}/inner/cgroup.procs; {command}"


def leaf(node, pid):
    """The group of guest @pid, which has another number for others, at @node."""
    text = node.out(f"cat $(dirname $(grep -l '^NSpid:.*[[:space:]]{pid}$' /proc/[0-9]*/status))/cgroup")
    return "/sys/fs/cgroup" + text.partition("0::")[2]


def test_memory(ready, limit):
    """Too much of it is the end that it is at home, also of what has been moved there."""
    one, two, _ = ready
    limit({"memory.max": "60M", "memory.swap.max": "0"}, {"memory.max": "200M"})
    ready.allow("oom-kill|Out of memory|invoked oom-killer|Call Trace|oom_reaper|Memory cgroup")
    for node in ready:
        node.write("/proc/sys/vm/panic_on_oom", "0")
    assert outcome(one, inside(EAT.format(20)))[:2] == (0, b"20\n")
    assert outcome(one, inside(there(2) + EAT.format(20)))[:2] == (0, b"20\n")
    home = outcome(one, inside(EAT.format(100)))
    assert home[0] == 128 + 9
    assert outcome(one, inside(there(2) + EAT.format(100))) == home
    # And one without limits has them not.
    assert outcome(one, there(2) + EAT.format(100))[:2] == (0, b"100\n")
    one.write("/tmp/eat.py", "import os, sys\nprint('pid', os.getpid(), flush=True)\n"
              "sys.stdin.readline()\nm = [bytearray(1 << 20) for _ in range(100)]\n")
    task = one.spawn(["bash", "-c", inside("exec python3 /tmp/eat.py")], open_stdin=True)
    pid = pid_of(task)
    migrate(one, pid, 2)
    assert two.read(leaf(two, pid) + "/memory.max").strip() == str(60 << 20)
    task.input(b"eat\n")
    assert task.wait().signal == 9


def test_what_is_bounded_together(ready, limit):
    """Those of a group at home are one at the node, its limits the lowest of all above it."""
    one, two, three = ready
    limit({"memory.max": "300M", "cpu.max": "90000 100000"},
          {"memory.max": "200M", "cpu.max": "100000 200000"})
    tasks = [one.spawn(["bash", "-c", inside("exec " + prefix + COUNTER)], open_stdin=True)
             for prefix in (there(2), "", there(2), there(3))]
    pids = [pid_of(task) for task in tasks]
    migrate(one, pids[1], 2)
    groups = {leaf(two, pid) for pid in pids[:3]}
    assert len(groups) == 1
    group, = groups
    assert re.fullmatch(CONTAINER + "/cg-[0-9a-f]+", group)
    assert leaf(three, pids[3]).startswith(CONTAINER + "/cg-")
    for name, value in (("memory.max", str(200 << 20)), ("cpu.max", "100000 200000")):
        assert two.read(f"{group}/{name}").strip() == value
    # Its children are bounded with it.
    child = one.spawn(["bash", "-c", inside("exec " + there(2) + "sh -c 'sleep 1000 & echo pid $!; wait'")])
    child_pid = pid_of(child)
    assert leaf(two, child_pid) == group
    one.run(f"kill -KILL {child_pid}")
    child.wait()
    # At home it is in its group, as ever; without others the leaf goes.
    migrate(one, pids[1], 1)
    assert one.read(f"/proc/{pids[1]}/cgroup").strip() == "0::/limited/inner"
    for task in tasks:
        answers(task, "there")
        task.close_input()
        assert task.wait().status == 0
    ready.wait_until(lambda: two.run(["test", "-d", group], check=False).status,
                     "the leaf is removed", timeout=120)


def test_numbers(ready, limit):
    """Of processes: each has its deputy at home, which is counted there."""
    limit({"pids.max": "12"})
    ready[1].write("/home/many.py", "import os, signal\nchildren = []\ntry:\n"
                   "    for _ in range(30):\n        child = os.fork()\n"
                   "        if not child:\n            signal.pause()\n            os._exit(0)\n"
                   "        children.append(child)\nexcept BlockingIOError:\n    pass\n"
                   "for child in children:\n    os.kill(child, 9)\n    os.waitpid(child, 0)\n"
                   "print(len(children))\n")
    home = outcome(ready[1], inside("exec python3 /home/many.py"))
    assert home[:2] == (0, b"11\n")
    assert outcome(ready[1], inside("exec " + there(2) + "python3 /home/many.py")) == home


def test_time(ready, limit):
    """The processor is taken away when the quota is used up."""
    one, two, _ = ready
    limit({"cpu.max": "10000 100000"})
    task = one.spawn(["bash", "-c", inside("exec " + there(2) + "sh -c 'echo pid $$; while :; do :; done'")])
    pid = pid_of(task)
    group = leaf(two, pid)

    def throttled():
        return int(re.search(r"nr_throttled (\d+)", two.read(f"{group}/cpu.stat"))[1])
    ready.wait_until(lambda: throttled() > 3, "it is throttled")
    one.run(f"kill -KILL {pid}")
    assert task.wait().signal == 9


def test_a_newcomer_kills_nobody(ready, limit):
    """A leaf that is full refuses what comes, and the spawner is never what has to die."""
    one, two, _ = ready
    limit({"memory.max": "100M", "memory.swap.max": "0"})
    ready.allow("oom-kill|Out of memory|invoked oom-killer|Call Trace|oom_reaper|Memory cgroup")
    hold = "import sys; m = bytearray(b'x') * ({} << 20); print('pid 1', flush=True); sys.stdin.read()"
    first = one.spawn(["bash", "-c", inside("exec " + there(2) + f"python3 -c \"{hold.format(80)}\"")],
                      open_stdin=True)
    first.wait_output("pid")
    spawner = two.out(f"cat {CONTAINER}/init/cgroup.procs")
    one.write("/tmp/hold.py", "import os, sys\nm = bytearray(b'x') * (40 << 20)\n"
              "print('pid', os.getpid(), flush=True)\nfor line in sys.stdin:\n"
              "    print('got-' + line.strip() + '-', flush=True)\n")
    # Home has room for it, since the other one is away.
    second = one.spawn(["bash", "-c", inside("exec python3 /tmp/hold.py")], open_stdin=True)
    result = migrate(one, pid_of(second), 2, check=False)
    assert result.status == 1 and "used up there" in result.err, result
    answers(second, "stayed")
    # What is being placed, large and the first to be killed, takes nobody along.
    large = " ".join(["x" * 100000] * 18)
    one.write("/tmp/large.sh", f"echo 1000 > /proc/self/oom_score_adj; {there(2)} true {large}\n")
    for _ in range(3):
        one.run(["bash", "-c", inside("bash /tmp/large.sh")], check=False)
        assert two.out(f"cat {CONTAINER}/init/cgroup.procs") == spawner
    for task in (first, second):
        task.close_input()
        assert task.wait().status == 0 or task.result.signal == 9
    assert outcome(one, there(2) + "echo still")[1] == b"still\n"


def test_a_limit_that_cannot_be_set(ready, limit):
    """The process stays, and who moves it is told why."""
    one, two, _ = ready
    limit({"memory.max": "100M"})
    task = one.spawn(["bash", "-c", inside("exec " + COUNTER)], open_stdin=True)
    pid = pid_of(task)
    two.run(f"echo -memory > {CONTAINER}/cgroup.subtree_control")
    try:
        result = migrate(one, pid, 2, check=False)
        assert result.status == 1 and "a limit of its control group cannot be set" in result.err, result
    finally:
        two.run(f"echo +memory > {CONTAINER}/cgroup.subtree_control")
    answers(task, "stayed")
    migrate(one, pid, 2)
    answers(task, "moved")
    task.close_input()
    assert task.wait().status == 0
