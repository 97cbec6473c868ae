"""Small calls get through while the BULK lane is full."""

import pytest

from rpc_counters import DEBUG, assert_adds_up, rpc, wait_members

pytestmark = pytest.mark.cluster(nodes=2)


def test_a_small_call_gets_through_while_bulk_is_full(cluster):
    wait_members(cluster, "1-2")
    node = cluster[1]
    # More than the switch and the guests can move for as long as the test takes.
    flood = node.spawn(f"echo '2 1048576 1000000' > {DEBUG}/sink")
    cluster.wait_until(lambda: rpc(node).get("sink.credit-waits", 0) > 0, "BULK is full")
    sent = rpc(node)["sink.sent"]
    node.run(f"echo '2 64 64 50' > {DEBUG}/echo", timeout=300)
    times = node.out(f"cat {DEBUG}/echo").split()
    assert len(times) == 50
    # It went on all the while, and still does.
    cluster.wait_until(lambda: rpc(node)["sink.sent"] > sent, "BULK goes on")
    assert flood.running
    flood.kill()
    flood.wait()
    cluster.wait_until(lambda: rpc(node)["rpc.calls-open"] == 0, "nothing is open")
    assert_adds_up(node)


def test_streams_arrive_whole(cluster):
    wait_members(cluster, "1-2")
    before = rpc(cluster[2]).get("sink.bytes-in", 0)
    cluster[1].run(f"echo '2 100000 300' > {DEBUG}/sink", timeout=300)
    size, _ = cluster[1].out(f"cat {DEBUG}/sink").split()
    assert int(size) == 30000000
    # The end of a stream is handled after all of it.
    assert rpc(cluster[2])["sink.bytes-in"] - before >= 30000000


def test_wrong_use_is_refused(cluster):
    node = cluster[1]
    for line in ("9 64 64 1", "2 64 64 0", "2 4 64 1", "2 64 9999999 1", "x"):
        assert node.run(f"echo '{line}' > {DEBUG}/echo", check=False).status != 0
