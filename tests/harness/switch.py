"""The network between the nodes (switch.c) and its faults."""

import socket
import subprocess
import threading
import time

from . import config, process
from .errors import HarnessError


class Switch:
    """A running switch in @folder; every fault is written to @history."""

    def __init__(self, folder, ports, seed, history, pcap=None):
        self.folder = folder
        self.ports = ports
        self._history = history
        self._lock = threading.Lock()
        argv = [str(config.SWITCH), str(folder), str(ports), str(seed)]
        if pcap:
            argv.append(str(pcap))
        self._process = process.start(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._process.stdout.readline() != b"ready\n":
            raise HarnessError(f"the switch did not start: {argv}")
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._control.connect(f"{folder}/control")
        self._answers = self._control.makefile("r")
        history.add("switch", ports=ports, seed=seed)

    def command(self, *words):
        line = " ".join(str(word) for word in words)
        with self._lock:
            self._control.sendall(line.encode() + b"\n")
            answer = self._answers.readline()
        if not answer.startswith("ok"):
            raise HarnessError(f"switch: {answer.strip() or 'gone'} ({line})")
        return answer.split()[1:]

    def fault(self, *words):
        self.command(*words)
        self._history.add("fault", fault=[str(word) for word in words])

    def cut(self, a, b, both=True):
        """Nothing from @a reaches @b, not even what is under way; with @both nor from @b to @a."""
        self.fault("cut", a, b)
        if both:
            self.fault("cut", b, a)

    def join(self, a, b, both=True):
        self.fault("join", a, b)
        if both:
            self.fault("join", b, a)

    def delay(self, a, b, milliseconds, jitter=0):
        self.fault("delay", a, b, milliseconds, jitter)

    def loss(self, a, b, probability):
        self.fault("loss", a, b, probability)

    def duplicate(self, a, b, probability):
        self.fault("dup", a, b, probability)

    def flip(self, a, b, probability):
        """A bit of what TCP or UDP carry is changed, and their checksum with it."""
        self.fault("flip", a, b, probability)

    def heal(self):
        self.fault("heal")

    def stats(self):
        names = ("in", "out", "cut", "lost", "duplicated", "overflow", "flipped")
        return dict(zip(names, map(int, self.command("stats"))))

    def sync(self):
        """Return once everything that was due has been handed over."""
        self.command("sync")

    @property
    def alive(self):
        return self._process.poll() is None

    def close(self):
        self._answers.close()
        self._control.close()
        self._process.stdin.close()
        end = time.monotonic() + 5
        while self.alive and time.monotonic() < end:
            time.sleep(0.01)
        process.stop(self._process)
        self._process.stdout.close()
