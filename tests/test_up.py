"""make up: a console that is a real terminal, the tour, and no process left behind."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from harness import config

UP = Path(__file__).parent / "harness" / "up.py"


def of_this_run(folder):
    """Processes that have @folder on their command line, other than up itself."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(os.fsencode(folder) in word for word in words):
            found.append(b" ".join(words[:3]))
    return found


def wait_until(condition, what, seconds=60):
    end = time.monotonic() + config.limit(seconds)
    while not condition():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.05)


@pytest.fixture
def up(tmp_path):
    """Starts up.py with arguments; kills it in the end if the test did not stop it."""
    started = []

    def start(*arguments, **options):
        # The lock of a cluster somebody runs by hand is not ours to take.
        env = {**os.environ, "HOLON_OUT": str(tmp_path / "out"), "TERM": "dumb"}
        process = subprocess.Popen([sys.executable, str(UP), *arguments], env=env,
                                   start_new_session=True, **options)
        process.folder = tmp_path / "out"
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
    wait_until(lambda: not of_this_run(tmp_path), "every process is gone")


class Screen:
    """The other side of a terminal."""

    def __init__(self, fd):
        self.fd = fd
        self.shown = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern, seconds=240):
        """Read until @pattern is shown, and forget what was before its end."""
        end = time.monotonic() + config.limit(seconds)
        while not (match := re.search(pattern.encode(), self.shown)):
            left = end - time.monotonic()
            ready = left > 0 and select.select([self.fd], [], [], left)[0]
            try:
                data = os.read(self.fd, 65536) if ready else b""
            except OSError:
                data = b""
            assert data, f"{pattern!r} is not shown, but {self.shown.decode(errors='replace')}"
            self.shown += data
        self.shown = self.shown[match.end():]
        return match


def start_on_terminal(up, *arguments):
    ours, theirs = pty.openpty()
    screen = Screen(ours)
    screen.resize(31, 101)
    process = up(*arguments, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    return process, screen


def test_the_console_is_a_terminal(up):
    process, screen = start_on_terminal(up, "--nodes", "1")
    screen.expect(r"boot \[1/1\] \.\.\. .*console")
    screen.expect(r"[$#] ")
    screen.type("stty size; tty; PS1='ready'\\>\n")
    screen.expect("31 101\r\n/dev/pts/0\r\n.*ready>")
    screen.resize(50, 90)
    os.kill(process.pid, signal.SIGWINCH)
    # The shell is told of the new size; a program started afterwards sees it.
    screen.type("until stty size | grep 50; do :; done\n")
    screen.expect("\r\n50 90\r\n.*ready>")
    # What is written shows that the shell's editor has left the terminal, and so it echoes.
    screen.type("echo begin; cat\n")
    screen.expect("\r\nbegin\r\n")
    screen.type("echoed\n")
    screen.expect("echoed\r\nechoed\r\n")
    screen.type("\x1a")
    screen.expect(r"Stopped +cat\r\n.*ready>")
    screen.type("jobs; fg\n")
    screen.expect("cat\r\n.*cat\r\n")
    # The shell says so before it hands the terminal over: what comes back shows that it has.
    screen.type("again\n")
    screen.expect("again\r\nagain\r\n")
    screen.type("\x03")
    screen.expect("ready>")
    # What the tabulator makes of the line is what runs.
    screen.type("holon no\tsh\tid \t\n")
    screen.expect(r"holon node show id 1 *\r\n")
    screen.expect("incarnation")
    screen.expect("ready>")
    # Another cluster is refused while this one runs.
    second = up("--nodes", "1", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert second.wait() == 1
    assert b"running already" in second.stderr.read()
    screen.type("exit\n")
    screen.expect(r"stop \.\.\. .*out/up")
    assert process.wait(config.limit(60)) == 0
    assert not of_this_run(process.folder)


@pytest.mark.parametrize("signal_number, status", [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_interrupted_while_it_boots_it_leaves_nothing(up, signal_number, status):
    process = up("--nodes", "2", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    while b"boot [1/2]" not in process.stdout.readline():
        pass
    assert len(of_this_run(process.folder)) >= 3
    process.send_signal(signal_number)
    assert process.wait(config.limit(60)) == status
    wait_until(lambda: not of_this_run(process.folder), "every process is gone")


def test_down_stops_a_running_cluster(up):
    nothing = up("--down", stdout=subprocess.PIPE)
    assert nothing.wait(config.limit(60)) == 0
    assert b"no cluster is running" in nothing.stdout.read()
    process, screen = start_on_terminal(up, "--nodes", "1")
    screen.expect(r"[$#] ")
    assert up("--down").wait(config.limit(120)) == 0
    assert process.wait(config.limit(60)) == 130
    assert not of_this_run(process.folder)


def test_without_a_terminal_the_tour_is_run(up):
    process = up("--nodes", "3", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                 stderr=subprocess.STDOUT)
    output, _ = process.communicate(timeout=config.limit(600))
    print(output.decode(errors="replace"))
    assert process.returncode == 0
    assert b"all as they should be" in output
    assert not of_this_run(process.folder)
