"""Signals to a program on another node do what they do at home, and so do stops."""

import signal

import pytest

from probe import install, placed, ready, running, state

pytestmark = pytest.mark.cluster(nodes=2)


@pytest.fixture(autouse=True)
def probe(cluster):
    install(cluster)
    cluster.wait_view({1, 2})
    ready(cluster)


def start(cluster, *words, **options):
    task = cluster[1].spawn(placed(*words), **options)
    task.wait_output("ready\n")
    return task


def stop(cluster, task, number=signal.SIGSTOP):
    task.signal(number)
    cluster.wait_until(lambda: state(cluster[1], task.pid) == "T", "it is stopped at home")
    [guest] = running(cluster[2])
    assert state(cluster[2], guest) == "T"


def gone(cluster):
    cluster.wait_until(lambda: not running(cluster[1]) and not running(cluster[2]), "it is gone")


def test_a_handler_knows_the_sender_and_interrupts_a_call(cluster):
    task = start(cluster, "signals", open_stdin=True)
    for number in (10, 2, 34, 64):
        task.signal(number)
        sender = task.wait_output(rf"got {number} code 0 value 0 pid (\d+) uid 0\nEINTR\n").group(1)
        assert int(sender) >> 22 == 1
    task.input("words\n")
    task.wait_output("read words\n")
    task.signal(15)
    assert task.wait().status == 3
    gone(cluster)


def test_a_call_is_restarted(cluster):
    task = start(cluster, "signals", "restart", open_stdin=True)
    task.signal(10)
    task.wait_output("got 10 ")
    task.input("words\n")
    task.wait_output("read words\n")
    assert b"EINTR" not in task.stdout
    task.signal(9)
    assert task.wait().signal == 9
    gone(cluster)


def test_a_timer_of_the_program_interrupts_a_call_at_home(cluster):
    task = cluster[1].spawn(placed("alarm"), open_stdin=True)
    task.wait_output("got 14 .*\nEINTR\n")
    assert task.wait().status == 0


def test_a_signal_of_a_call_is_there_before_it_returns(cluster):
    # Descriptor 3 is the end of a pipe that nobody reads.
    line = "mkfifo /tmp/fifo; cat /tmp/fifo > /dev/null & exec 3>/tmp/fifo; kill $!; wait; exec "
    result = cluster[1].run(line + " ".join(placed("pipe")))
    assert result.out == "write -1 errno 32 signals 1\n"


@pytest.mark.parametrize("what", ["sleep", "spin"])
def test_kill(cluster, what):
    task = start(cluster, what)
    task.signal(9)
    assert task.wait().signal == 9
    # The parent is told when nothing of it runs any more.
    assert running(cluster[2]) == []


def test_stop_and_continue(cluster):
    task = start(cluster, "signals", open_stdin=True)
    for _ in range(5):
        stop(cluster, task)
        task.signal(signal.SIGCONT)
        cluster.wait_until(lambda: state(cluster[1], task.pid) == "S", "it goes on at home")
        task.input("on\n")
        task.wait_output("read on\n")
        del task.stdout[:]
    task.signal(15)
    assert task.wait().status == 3


def test_a_stop_that_is_overtaken(cluster):
    task = start(cluster, "signals", open_stdin=True)
    for _ in range(20):
        task.signal(signal.SIGSTOP)
        task.signal(signal.SIGCONT)
    task.input("still here\n")
    task.wait_output("read still here\n")
    # The last word counts, whatever was on its way when it came.
    for _ in range(10):
        stop(cluster, task)
        task.signal(signal.SIGCONT)
        stop(cluster, task)
        task.signal(signal.SIGCONT)
        cluster.wait_until(lambda: state(cluster[1], task.pid) == "S", "it goes on at home")
    task.signal(15)
    assert task.wait().status == 3


def test_a_program_in_a_frozen_cgroup(cluster):
    task = start(cluster, "signals", open_stdin=True)
    group = "/sys/fs/cgroup/frozen"
    cluster[1].run(f"mkdir {group} && echo {task.pid} > {group}/cgroup.procs")
    for _ in range(3):
        cluster[1].write(f"{group}/cgroup.freeze", "1")
        cluster.wait_until(lambda: "frozen 1" in cluster[1].read(f"{group}/cgroup.events"),
                           "it is frozen at home")
        task.input("words\n")
        cluster[1].write(f"{group}/cgroup.freeze", "0")
        task.wait_output("read words\n")
        del task.stdout[:]
    cluster[1].write(f"{group}/cgroup.freeze", "1")
    cluster.wait_until(lambda: "frozen 1" in cluster[1].read(f"{group}/cgroup.events"), "frozen")
    task.signal(9)
    assert task.wait().signal == 9
    gone(cluster)
    cluster.wait_until(lambda: cluster[1].run(f"rmdir {group}", check=False).status == 0,
                       "the group is empty")


def test_kill_of_a_stopped_program(cluster):
    task = start(cluster, "sleep")
    stop(cluster, task)
    task.signal(9)
    assert task.wait().signal == 9
    assert running(cluster[2]) == []


@pytest.mark.parametrize("stopped", [False, True])
def test_kill_on_the_node_where_it_runs(cluster, stopped):
    task = start(cluster, "sleep")
    if stopped:
        stop(cluster, task)
    [guest] = running(cluster[2])
    cluster[2].run(["kill", "-9", str(guest)])
    assert task.wait().signal == 9


def test_keys_of_a_terminal(cluster):
    shell = cluster[1].terminal.spawn(["sh", "-i"], pty=[24, 80], env={"PS1": "ready> "})
    shell.wait_output("ready> ")
    shell.input(" ".join(placed("sleep")) + "\n")
    shell.wait_output("\r\nready\r\n")
    shell.input("\x03")
    shell.wait_output("\\^C\r?\n?.*ready> ")
    shell.input("echo status $?\n")
    shell.wait_output("status 130\r\n")
    del shell.stdout[:]
    shell.input("holon run -n 2 -- cat\n")
    # The line discipline echoes, then cat writes.
    cluster.wait_until(lambda: "cat" in cluster[2].out("ps"), "cat runs there")
    shell.input("one\n")
    shell.wait_output("one\r\none\r\n")
    shell.input("\x1a")
    shell.wait_output("Stopped[^\n]*\r\n.*ready> ")
    del shell.stdout[:]
    shell.input("fg\n")
    # What is typed before the shell has let go of the terminal has no echo.
    shell.wait_output("-- cat\r\n")
    shell.input("two\n")
    shell.wait_output("two\r\n")
    shell.input("\x04")
    shell.wait_output("(?s)two.*ready> ")
    shell.input("exit 3\n")
    assert shell.wait().status == 3
