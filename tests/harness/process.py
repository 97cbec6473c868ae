"""Child processes that never outlive the harness."""

import ctypes
import os
import signal
import socket
import subprocess
import time

from . import config
from .errors import HarnessError

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(argv, **kwargs):
    """A child in a session of its own: Ctrl-C reaches the harness alone."""
    # pylint: disable-next=subprocess-popen-preexec-fn
    return subprocess.Popen(argv, preexec_fn=_die_with_parent, start_new_session=True, **kwargs)


def stop(process):
    """Kill and reap; no error when it is gone already."""
    if process.poll() is None:
        process.kill()
    process.wait()


def listen(path):
    """A listening Unix socket at @path, which must be short."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if os.path.exists(path):
        os.unlink(path)
    sock.bind(str(path))
    sock.listen(1)
    return sock


def accept(listener, process, what):
    """Wait until @process has connected to @listener."""
    end = time.monotonic() + config.limit(60)
    listener.settimeout(0.5)
    while True:
        try:
            connection, _ = listener.accept()
            connection.settimeout(None)
            return connection
        except socket.timeout:
            if process.poll() is not None:
                raise HarnessError(f"{what}: exited with {process.returncode}") from None
            if time.monotonic() > end:
                raise HarnessError(f"{what}: did not connect") from None
