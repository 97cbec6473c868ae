"""Fixtures: @pytest.mark.cluster(nodes=3, ...) and the argument `cluster`."""

import os
import random
import re
import signal
import subprocess
import sys
import textwrap

import pytest

from harness import config
from harness.cluster import Cluster
from harness.errors import TimedOut

# Seconds a test may take before it is ended, see @pytest.mark.limit.
TEST_LIMIT = 900

_shared = {"key": None, "cluster": None}


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "cluster(nodes=2, fresh=False, ...): what the fixture `cluster` boots; the rest are "
        "arguments of harness.cluster.Cluster. One cluster serves the tests of a module that "
        "ask for the same; fresh=True gives the test one of its own.")
    config.addinivalue_line("markers", f"limit(seconds): end the test then; default {TEST_LIMIT}")
    config.addinivalue_line("markers", "long: only in make check-long")


def _safe(name):
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-")


def _drop_shared():
    if _shared["cluster"]:
        _shared["cluster"].close()
    _shared.update(key=None, cluster=None)


def _cluster_for(item, options):
    fresh = options.pop("fresh", False)
    module = _safe(item.module.__name__)
    key = (module, repr(sorted(options.items())))
    if not fresh and _shared["key"] == key and _shared["cluster"].reusable:
        return _shared["cluster"]
    # Two booted clusters at once would be too much for a small machine.
    _drop_shared()
    cluster = Cluster(folder=config.OUT / module / _safe(item.name), **options).start()
    _shared.update(key=None if fresh else key, cluster=cluster)
    return cluster


@pytest.fixture
def cluster(request):
    marker = request.node.get_closest_marker("cluster")
    options = dict(marker.kwargs) if marker else {}
    booted = _cluster_for(request.node, options)
    booted.mark(request.node.nodeid)
    request.node.holon_cluster = booted
    yield booted
    failed = getattr(request.node, "holon_failed", False)
    try:
        if not failed:
            booted.verdict()
    except BaseException:
        failed = True
        raise
    finally:
        if failed or not booted.reusable or _shared["key"] is None:
            _drop_shared()


def _out_of_time(signum, frame):
    raise TimedOut("the test took longer than its limit")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    marker = item.get_closest_marker("limit")
    before = signal.signal(signal.SIGALRM, _out_of_time)
    signal.setitimer(signal.ITIMER_REAL, config.limit(marker.args[0] if marker else TEST_LIMIT))
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def pytester_run(tmp_path):
    """Run a test file of its own: function(source) -> (exit status, output)."""
    def run(source):
        file = tmp_path / "test_inner.py"
        file.write_text(textwrap.dedent(source))
        here = os.path.dirname(os.path.abspath(__file__))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-c", os.path.join(here, "pytest.ini"),
             "-p", "conftest", str(file)], env={**os.environ, "PYTHONPATH": here},
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout
    return run


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    booted = getattr(item, "holon_cluster", None)
    if report.failed and booted:
        item.holon_failed = True
        report.sections.append(("where to look", f"{booted.folder}\n{booted.tail()}"))


def pytest_collection_modifyitems(config, items):
    if config.getoption("-m"):
        return
    skip = pytest.mark.skip(reason="only in make check-long (-m long)")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)


def pytest_sessionfinish():
    _drop_shared()


@pytest.fixture
def rnd(capsys):
    """What draws lots; HOLON_FUZZ_SEED repeats a run."""
    seed = int(os.environ.get("HOLON_FUZZ_SEED", random.randrange(1 << 32)))
    with capsys.disabled():
        print(f"\nHOLON_FUZZ_SEED={seed}", flush=True)
    return random.Random(seed)
