"""QEMU's machine protocol: stop, cont, reset, quit."""

import json
import queue
import threading

from . import config
from .errors import NodeGone, TimedOut


class Qmp:
    """One connection. A thread reads; events are handed to @on_event(name, data)."""

    def __init__(self, connection, on_event=None):
        self._connection = connection
        self._on_event = on_event
        self._answers = queue.Queue()
        self._lock = threading.Lock()
        self._greeted = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._greeted.wait(config.limit(30)):
            raise TimedOut("QEMU sent no QMP greeting")
        self.execute("qmp_capabilities")

    def _read(self):
        try:
            with self._connection.makefile("r", encoding="utf-8") as lines:
                for line in lines:
                    message = json.loads(line)
                    if "QMP" in message:
                        self._greeted.set()
                    elif "event" in message:
                        if self._on_event:
                            self._on_event(message["event"], message.get("data", {}))
                    else:
                        self._answers.put(message)
        except (OSError, ValueError):
            pass
        self._greeted.set()
        self._answers.put(None)

    def execute(self, command, **arguments):
        with self._lock:
            try:
                self._connection.sendall(json.dumps(
                    {"execute": command, "arguments": arguments}).encode() + b"\n")
            except OSError as error:
                raise NodeGone(f"QMP {command}: {error}") from None
            try:
                answer = self._answers.get(timeout=config.limit(60))
            except queue.Empty:
                raise TimedOut(f"QMP {command}") from None
        if answer is None:
            self._answers.put(None)
            raise NodeGone(f"QMP {command}: QEMU is gone")
        if "error" in answer:
            raise NodeGone(f"QMP {command}: {answer['error']['desc']}")
        return answer["return"]

    def close(self):
        self._connection.close()
