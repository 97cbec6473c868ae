"""The host's side of userland/agent: commands in a node over a virtio-serial port."""

import base64
import itertools
import json
import re
import signal as signals
import threading
import time

from . import config
from .errors import NodeGone, TimedOut


class Result:
    """How a command ended. @status is None when a signal ended it."""

    def __init__(self, status, signal, stdout, stderr, timed_out, usage):
        self.status = status
        self.signal = signal
        self.stdout = stdout
        self.stderr = stderr
        self.timed_out = timed_out
        self.usage = usage

    @property
    def out(self):
        return self.stdout.decode("utf-8", "replace")

    @property
    def err(self):
        return self.stderr.decode("utf-8", "replace")

    def describe(self):
        if self.timed_out:
            return "a timeout"
        if self.signal:
            return f"signal {self.signal}"
        return f"status {self.status}"

    def __repr__(self):
        return f"<Result {self.describe()} out={self.out[-200:]!r} err={self.err[-200:]!r}>"


class Task:
    """A running command. Its output gathers in @stdout and @stderr."""

    def __init__(self, agent, ident, argv):
        self.agent = agent
        self.id = ident
        self.argv = argv
        self.pid = None
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.result = None
        self.error = None
        self.on_output = None
        self.on_end = None
        self._changed = threading.Condition()

    def _handle(self, message):
        event = message["event"]
        with self._changed:
            if event == "started":
                self.pid = message["pid"]
            elif event == "out":
                data = base64.b64decode(message["data"])
                (self.stdout if message["fd"] == 1 else self.stderr).extend(data)
                if self.on_output:
                    self.on_output(message["fd"], data)
            elif event == "exit":
                self.result = Result(None if message["signal"] else message["status"],
                                     message["signal"], bytes(self.stdout), bytes(self.stderr),
                                     message["timeout"],
                                     {k: message[k] for k in ("utime", "stime", "maxrss")})
            elif event == "error":
                self.error = OSError(message["errno"], message["message"])
            self._changed.notify_all()
        if event in ("exit", "error") and self.on_end:
            self.on_end()

    def _fail(self, error):
        with self._changed:
            if self.result is None and self.error is None:
                self.error = error
            self._changed.notify_all()
        if self.on_end:
            self.on_end()

    def _wait(self, done, seconds, what):
        """Wait for @done() under the lock; an error of the task is raised."""
        end = time.monotonic() + config.limit(seconds)
        with self._changed:
            while True:
                if done():
                    return
                if self.error:
                    raise self.error
                if self.result is not None:
                    raise TimedOut(f"{self.argv}: ended with {self.result.describe()} "
                                   f"without {what}; stdout {bytes(self.stdout)!r} "
                                   f"stderr {bytes(self.stderr)!r}")
                left = end - time.monotonic()
                if left <= 0:
                    raise TimedOut(f"{self.argv}: no {what} within {config.limit(seconds):g} s; "
                                   f"stdout {bytes(self.stdout[-2000:])!r} "
                                   f"stderr {bytes(self.stderr[-2000:])!r}")
                self._changed.wait(left)

    def wait(self, timeout=120):
        self._wait(lambda: self.result is not None, timeout, "exit")
        return self.result

    def wait_started(self, timeout=60):
        self._wait(lambda: self.pid is not None, timeout, "start")
        return self

    def wait_output(self, pattern, timeout=60):
        """Wait until @pattern is found in stdout, or in stderr; the match."""
        found = []
        compiled = re.compile(pattern.encode() if isinstance(pattern, str) else pattern)

        def search():
            match = compiled.search(self.stdout) or compiled.search(self.stderr)
            if match:
                found.append(match)
            return match

        self._wait(search, timeout, f"output {pattern!r}")
        return found[0]

    @property
    def running(self):
        return self.result is None and self.error is None

    def input(self, data=b"", eof=False):
        if isinstance(data, str):
            data = data.encode()
        self.agent.send("input", task=self.id, eof=eof,
                        data=base64.b64encode(data).decode())

    def close_input(self):
        self.input(eof=True)

    def resize(self, rows, columns):
        self.agent.send("resize", task=self.id, pty=[rows, columns])

    def signal(self, number=signals.SIGTERM, group=False):
        self.agent.request("signal", task=self.id, signal=int(number), group=group)

    def kill(self):
        self.signal(signals.SIGKILL, group=True)


class _Request(Task):
    """A request that is answered by data and then done or error."""

    def __init__(self, agent, ident, argv):
        super().__init__(agent, ident, argv)
        self.data = bytearray()
        self.done = False

    def _handle(self, message):
        with self._changed:
            if message["event"] == "data":
                self.data.extend(base64.b64decode(message["data"]))
            elif message["event"] == "done":
                self.done = True
            self._changed.notify_all()
        super()._handle(message)

    def finish(self, timeout):
        self._wait(lambda: self.done, timeout, "answer")
        return bytes(self.data)


class Agent:
    """One port. The agent in the node says hello at each of its starts."""

    def __init__(self, name, connection, record=None):
        self.name = name
        self._connection = connection
        self._record = record
        self._ids = itertools.count(1)
        self._tasks = {}
        self._lock = threading.Lock()
        self._send_lock = threading.Lock()
        self._hellos = 0
        self._gone = None
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            with self._connection.makefile("rb") as lines:
                for line in lines:
                    self._handle_line(line)
        except (OSError, ValueError):
            pass
        self.fail(NodeGone(f"{self.name}: the port is closed"))

    def _handle_line(self, line):
        try:
            message = json.loads(line)
        except ValueError:
            # Half a line of a life that ended, or the empty line before hello.
            return
        if self._record and message.get("event") != "data":
            self._record(line)
        if message["event"] == "hello":
            self._drop_tasks(NodeGone(f"{self.name}: started again"))
            with self._changed:
                self._hellos += 1
                self._changed.notify_all()
            return
        with self._lock:
            task = self._tasks.get(message["id"])
            if task and message["event"] in ("exit", "error", "done"):
                del self._tasks[message["id"]]
        if task:
            task._handle(message)

    def _drop_tasks(self, error):
        with self._lock:
            tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task._fail(error)

    def fail(self, error):
        """Nothing more will come: every waiter gets @error."""
        with self._changed:
            self._gone = self._gone or error
            self._changed.notify_all()
        self._drop_tasks(error)

    @property
    def hellos(self):
        return self._hellos

    def wait_hello(self, count, timeout):
        end = time.monotonic() + config.limit(timeout)
        with self._changed:
            while self._hellos < count:
                if self._gone:
                    raise self._gone
                left = end - time.monotonic()
                if left <= 0:
                    raise TimedOut(f"{self.name}: no agent within {config.limit(timeout):g} s")
                self._changed.wait(left)

    def send(self, op, ident=None, **arguments):
        line = json.dumps({"id": ident or next(self._ids), "op": op, **arguments})
        if self._gone:
            raise self._gone
        try:
            with self._send_lock:
                self._connection.sendall(line.encode() + b"\n")
        except OSError as error:
            raise NodeGone(f"{self.name}: {error}") from None

    def _begin(self, kind, op, label, **arguments):
        ident = next(self._ids)
        task = kind(self, ident, label)
        with self._lock:
            self._tasks[ident] = task
        self.send(op, ident, **arguments)
        return task

    def request(self, op, timeout=60, **arguments):
        return self._begin(_Request, op, op, **arguments).finish(timeout)

    def spawn(self, argv, *, stdin=b"", open_stdin=False, env=None, cwd=None,
              timeout=None, uid=None, gid=None, pty=None):
        arguments = {"argv": argv}
        if stdin:
            arguments["stdin"] = base64.b64encode(
                stdin.encode() if isinstance(stdin, str) else stdin).decode()
        if open_stdin:
            arguments["open"] = True
        for key, value in (("env", env), ("cwd", cwd), ("uid", uid), ("gid", gid), ("pty", pty)):
            if value is not None:
                arguments[key] = value
        if timeout:
            arguments["timeout"] = config.limit(timeout)
        return self._begin(Task, "spawn", argv, **arguments)

    def read(self, path, timeout=60):
        return self.request("read", timeout, path=path)

    def write(self, path, data, mode=None, append=False, timeout=60):
        if isinstance(data, str):
            data = data.encode()
        arguments = {} if mode is None else {"mode": mode}
        self.request("write", timeout, path=path, append=append,
                     data=base64.b64encode(data).decode(), **arguments)

    def close(self):
        self._connection.close()
