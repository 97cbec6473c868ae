"""
process_vm_readv() and process_vm_writev(): whoever may read and write the memory of a process
at home may do so wherever the two of them run, and while they move.
"""

import pytest

from probe import all_ready
from rpc_faults import MEMORY, PAGES, fault, no_faults, wait_late
from runs import migrate, nothing_left, there, usage
from selftests import place
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, image="root", append=["slab_nomerge"])

USER = 1000


class Target:
    """A program with memory at @at, of node 1, moved to @node."""

    def __init__(self, cluster, program, node=1, **options):
        self.one = cluster[1]
        self.program = program
        self.task = self.one.spawn(f"exec {program} target", open_stdin=True, **options)
        match = self.task.wait_output(r"pid (\d+) at (\d+) size (\d+)\n")
        self.pid, self.at, self.size = map(int, match.groups())
        if node != 1:
            migrate(self.one, self.pid, node)

    def says(self, line, answer):
        """@answer to @line, not to one before."""
        said = len(self.task.stdout)
        self.task.input(f"{line}\n".encode())
        return self.task.wait_output(rf"(?s)\A.{{{said}}}.*?{answer}")

    def sum(self, first, count):
        return self.says(f"sum {first} {count}", r"sum (\w+)\n").group(1).decode()

    def call(self, what, *numbers, caller=1, pid=None, **options):
        """What the other process says that runs on node @caller."""
        words = map(str, (self.program, what, pid or self.pid, *numbers))
        result = self.one.run(there(caller) + " ".join(words), check=False, timeout=300, **options)
        assert not result.signal and not result.timed_out, result
        return result.out.strip()

    def end(self):
        self.task.close_input()
        assert self.task.wait().status == 0


@pytest.fixture
def ready(cluster):
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    yield cluster
    no_faults(cluster)


@pytest.fixture
def program(ready):
    return place(ready, "process_vm")


def calls(target, caller):
    """All that is to be compared, as text; it leaves the memory as a sum."""
    at, size = target.at, target.size
    done = [
        ("read", at, size), ("read", at + 4097, 1), ("read", at + 13, size - 13, 1000),
        ("read", at + size - 100, 4096), ("read", at + size, 100), ("read", at, 100, 99),
        ("read", at + size - 1, 2), ("read", at + size - 2, 3), ("write", at + size - 1, 2, 3),
        ("write", at + 100, 70000, 7), ("write", at + 5, 3 << 20, 9, 700),
        ("write", at + size - 10, 100, 1), ("write", at + size, 100, 1),
        # Of its program, which it may not write itself.
        ("read", 0x400000, 5000), ("write", 0x400000, 100, 1),
    ]
    return [target.call(*words, caller=caller) for words in done] + [target.sum(0, size)]


@pytest.mark.parametrize("caller, node", [(1, 2), (2, 1), (2, 2), (2, 3), (3, 2)])
def test_as_at_home(ready, program, caller, node):
    before = {n.id: usage(n) for n in ready}
    home, away = Target(ready, program), Target(ready, program, node)
    # Where it is mapped is a matter of chance.
    assert calls(away, caller) == calls(home, 1)
    assert away.call("read", away.at, 10, caller=caller, pid=4194000) == "error ESRCH"
    home.end()
    away.end()
    assert away.call("read", away.at, 10, caller=caller) == "error ESRCH"
    nothing_left(ready, before)


def test_a_thread_is_its_process(ready, program):
    target = Target(ready, program, 2)
    thread = int(target.says("thread", r"thread (\d+)\n").group(1))
    assert thread != target.pid
    for caller in (1, 3):
        assert target.call("read", target.at, 999, caller=caller, pid=thread) == \
            f"done 999 sum {target.sum(0, 999)}"
    target.end()


@pytest.mark.parametrize("caller", [1, 3])
def test_rights(ready, program, caller):
    """Those of the processes at home decide, as they are now."""
    target = Target(ready, program, 2, uid=USER, gid=USER)

    def read(uid):
        return target.call("read", target.at, 10, caller=caller, uid=uid, gid=uid)

    assert read(USER).startswith("done 10")
    assert read(USER + 1) == "error EPERM"
    assert read(0).startswith("done 10")
    target.says("hide", "hide 0\n")
    assert read(USER) == "error EPERM"
    assert read(0).startswith("done 10")
    # Another program has nothing to hide.
    target.at = int(target.says("exec", r"at (\d+) size").group(1))
    assert read(USER).startswith("done 10")
    target.end()


def test_a_program_that_nobody_may_read(ready, program):
    """Its file can be executed, but not read: nor can its memory."""
    one = ready[1]
    one.run(f"cp {program} {program}-secret && chmod 711 {program}-secret")
    plain = Target(ready, program, 2, uid=USER, gid=USER)
    assert plain.call("read", plain.at, 10, uid=USER, gid=USER).startswith("done 10")
    plain.end()
    one.write("/home/secret", f"#!{program}-secret target\n", mode=0o755)
    # Executed by a shell that is away already, and home is told; and placed, as the
    # interpreter of a script that everybody may read.
    for command in (f"sh -c 'echo; exec {program}-secret target'", "/home/secret"):
        task = one.spawn("exec " + there(2) + command, open_stdin=True, uid=USER, gid=USER)
        pid, at = task.wait_output(r"pid (\d+) at (\d+) ").groups()
        words = f"{program} read {int(pid)} {int(at)} 10"
        assert one.run(words, check=False, uid=USER, gid=USER).out == "error EPERM\n"
        assert one.out(words).startswith("done 10")
        task.close_input()
        assert task.wait().status == 0


@pytest.mark.parametrize("caller", [1, 3])
def test_while_it_moves(ready, program, caller):
    """Nothing that was written is lost, and nothing is read that was before."""
    target = Target(ready, program)
    one = ready[1]
    moves = one.spawn(f"while :; do for n in 2 3 1; do holon task migrate pid {target.pid} to $n && "
                      "echo moved; done; done")
    moves.wait_output("moved")
    before = moves.stdout.count(b"moved")
    # Until some of them have met a move. Few, as on a busy machine it moves most of the time.
    for _ in range(100):
        assert target.call("count", target.at, 100, caller=caller) == "done 100"
        target.says("words 100", "lost 0\n")
        target.says("forget", "forgotten\n")
        if moves.stdout.count(b"moved") >= before + 9:
            break
    else:
        pytest.fail("it has not moved meanwhile")
    target.task.input(b"grow\n")
    assert target.call("watch", target.at, 30, caller=caller) == "changes 30 back 0"
    moves.kill()
    moves.wait()
    target.says("sum 0 1", "grown\n")
    target.end()


@pytest.mark.parametrize("to", [2, 1])
def test_written_behind_the_pages_that_have_gone(ready, program, to):
    """A write waits until the move is over: what it would write to has been sent."""
    one = ready[1]
    target = Target(ready, program, 1 if to == 2 else 2)
    node = ready[to]
    # Its other memory is below: of these pages some have gone, and some have not.
    fault(node, "delay", PAGES, after=7, delay_ms=4000)
    move = one.spawn(f"holon task migrate pid {target.pid} to {to}")
    wait_late(ready, node)
    assert target.call("write", target.at, 5000, 66) == "done 5000"
    assert move.wait().status == 0
    assert target.call("read", target.at, 5000) == \
        f"done 5000 sum {target.sum(0, 5000)}"
    # It is what was written: as in another one, where nothing moved.
    still = Target(ready, program)
    still.call("write", still.at, 5000, 66)
    assert still.sum(0, target.size) == target.sum(0, target.size)
    still.end()
    target.end()


def test_the_caller_is_killed_while_it_waits(ready, program):
    before = {n.id: usage(n) for n in ready}
    target = Target(ready, program, 2)
    fault(ready[2], "delay", MEMORY, delay_ms=5000)
    caller = ready[1].spawn(f"exec {program} read {target.pid} {target.at} 100")
    wait_late(ready, ready[2])
    caller.kill()
    assert caller.wait(3).signal == 9
    assert target.call("read", target.at, 100).startswith("done 100")
    target.end()
    nothing_left(ready, before)


def test_a_thread_that_has_ended_while_it_is_asked(ready, program):
    """And with it the process: there is nothing to look at any more."""
    target = Target(ready, program, 2)
    thread = int(target.says("thread", r"thread (\d+)\n").group(1))
    fault(ready[2], "delay", MEMORY, delay_ms=2000)
    caller = ready[1].spawn(f"{program} read {thread} {target.at} 100")
    wait_late(ready, ready[2])
    ready[1].run(f"kill -KILL {target.pid}")
    assert target.task.wait().signal == 9
    assert caller.wait().out == "error ESRCH\n"


@pytest.mark.parametrize("what", ["read", "write"])
def test_memory_of_the_caller_that_ends_midway(ready, program, what):
    """As much is copied as there is, wherever that is."""
    said = []
    for node, caller in ((1, 1), (2, 1), (1, 2), (2, 3)):
        target = Target(ready, program, node)
        one = ready[1].run(there(caller) + f"{program} hole {what} {target.pid} {target.at} 3000000",
                           check=False)
        said.append((one.out, target.sum(0, target.size)))
        target.end()
    assert len(set(said)) == 1 and said[0][0].startswith("done"), said


def test_its_node_dies(ready, program):
    """The process dies, and with it what is read of it."""
    target = Target(ready, program, 2)
    fault(ready[2], "delay", MEMORY, delay_ms=60000)
    caller = ready[1].spawn(f"{program} read {target.pid} {target.at} 100")
    wait_late(ready, ready[2])
    ready.kill(2)
    assert caller.wait().out == "error ESRCH\n"
    assert target.task.wait().signal == 9
    ready.revive(2)
