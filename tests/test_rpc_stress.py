"""Every call ends exactly once, whatever happens to its handler, its caller and its node."""

import pytest

from harness.errors import TimedOut
from rpc_counters import DEBUG, assert_adds_up, rpc, stress, total, types, wait_members

pytestmark = pytest.mark.cluster(nodes=3)

CALLERS = 8


def start(cluster):
    for node in cluster:
        node.run(f"echo start {CALLERS} > {DEBUG}/stress")


def stop(nodes):
    for node in nodes:
        node.run(f"echo stop > {DEBUG}/stress", timeout=120)


def run_until(cluster, nodes, calls):
    """Each of @nodes makes that many more calls."""
    for node in nodes:
        goal = stress(node)["calls"] + calls
        cluster.wait_until(lambda node=node, goal=goal: stress(node)["calls"] >= goal,
                           f"{node.name} has made {goal} calls", timeout=300)


def quiet(cluster, nodes):
    """Callers are stopped; what was left behind by killed ones ends, too."""
    for node in nodes:
        try:
            cluster.wait_until(lambda node=node: not is_open(node),
                               f"no call is open on {node.name}", timeout=120)
        except TimedOut as error:
            raise TimedOut(f"{error}; open:\n" + node.out(f"cat {DEBUG}/open")) from None


def is_open(node):
    counters = rpc(node)
    return counters["rpc.calls-open"] or counters["rpc.requests-open"]


def check_callers(node):
    seen = stress(node)
    assert seen["wrong"] == 0
    assert seen["errors"] == 0
    ended = sum(seen[name] for name in
                ("ok", "errors", "hostdown", "interrupted", "killed", "wrong", "nomem"))
    assert ended == seen["calls"]
    # Whoever was killed before the end left an orphan, which got the end instead.
    assert seen["orphans"] == total(rpc(node), "orphaned")
    assert seen["ok"] > seen["calls"] / 2
    return seen


def test_calls_end_once_with_delays_and_cancels(cluster):
    wait_members(cluster, "1-3")
    for node in cluster:
        node.run(f"cd {DEBUG}/rpc_delay && echo 21 > type && echo 40 > delay_ms && "
                 "echo -1 > times && echo 5 > probability")
    start(cluster)
    run_until(cluster, list(cluster), 1500)
    stop(cluster)
    quiet(cluster, list(cluster))
    for node in cluster:
        seen = check_callers(node)
        assert seen["hostdown"] == 0
        assert seen["interrupted"] > 0 and seen["killed"] > 0
        assert_adds_up(node)
    # What one side has sent the other has handled.
    counters = [rpc(node) for node in cluster]
    for name in set.union(*map(types, counters)):
        if not name.startswith("stress"):
            continue
        sent = sum(c.get(f"{name}.calls", 0) - c.get(f"{name}.refused", 0) +
                   c.get(f"{name}.sent", 0) for c in counters)
        assert sent == sum(c.get(f"{name}.handled", 0) for c in counters), name


@pytest.mark.cluster(nodes=3, fresh=True)
def test_calls_end_once_when_a_node_dies(cluster):
    wait_members(cluster, "1-3")
    start(cluster)
    run_until(cluster, list(cluster), 300)
    cluster.kill(3)
    alive = [cluster[1], cluster[2]]
    wait_members(cluster, "1-2", alive)
    run_until(cluster, alive, 300)
    stop(alive)
    quiet(cluster, alive)
    for node in alive:
        seen = check_callers(node)
        assert seen["hostdown"] > 0
        assert_adds_up(node)

    # The machine comes back as a new node, and is called again.
    cluster.revive(3)
    wait_members(cluster, "1-3")
    start(cluster)
    run_until(cluster, list(cluster), 100)
    stop(cluster)
    quiet(cluster, list(cluster))
    for node in cluster:
        check_callers(node)
        assert_adds_up(node)
