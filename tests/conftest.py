"""Fixtures: @pytest.mark.cluster(nodes=3, ...) and the argument `cluster`."""

import re

import pytest

from harness import config
from harness.cluster import Cluster

_shared = {"key": None, "cluster": None}


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "cluster(nodes=2, fresh=False, ...): what the fixture `cluster` boots; the rest are "
        "arguments of harness.cluster.Cluster. One cluster serves the tests of a module that "
        "ask for the same; fresh=True gives the test one of its own.")
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
