"""history.jsonl: what was done to a cluster, in order, with the time of it."""

import json
import threading
import time


class History:
    """Appends one JSON object a line; safe to use from several threads."""

    def __init__(self, path):
        self._lock = threading.Lock()
        self._file = open(path, "a", encoding="utf-8")
        self._start = time.monotonic()

    def add(self, what, **details):
        line = {"t": round(time.monotonic() - self._start, 4), "what": what, **details}
        with self._lock:
            if not self._file.closed:
                self._file.write(json.dumps(line) + "\n")
                self._file.flush()

    def close(self):
        with self._lock:
            self._file.close()
