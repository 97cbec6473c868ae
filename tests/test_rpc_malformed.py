"""What strangers send reaches nothing; what a member sends wrongly costs it its place."""

import random
import struct

import pytest

import wire
from rpc_counters import DEBUG, rpc, wait_members

GARBAGE = 40
GARBAGE_LONG = 500


def call(rank=0, **change):
    """A CALL of the handshake that is well formed but for @change; it proves nothing."""
    field = dict(magic=0x48534c48, kind=1, rank=rank, low=1, high=1, status=0, encrypt=1,
                 attempt=7, from_inc=99, from_uuid=b"u" * 16, from_id=3, to_inc=99,
                 to_uuid=bytes(16), to_id=1, cluster=b"test", public=b"p" * 32, reason=b"",
                 key_id=b"k" * 8, proof=b"m" * 32)
    field.update(change)
    f = field
    return struct.pack("<IBBHHHB3xQ", f["magic"], f["kind"], f["rank"], f["low"], f["high"],
                       f["status"], f["encrypt"], f["attempt"]) + \
        struct.pack("<Q16sB7x", f["from_inc"], f["from_uuid"], f["from_id"]) + \
        struct.pack("<Q16sB7x", f["to_inc"], f["to_uuid"], f["to_id"]) + \
        struct.pack("<32s32s96s8s32s", f["cluster"], f["public"], f["reason"], f["key_id"],
                    f["proof"])


def garbage(rnd, count):
    """Random bytes, damaged handshakes, frames without one."""
    frame = struct.pack("<IBBHHHIQQ", 0x4e4c4f48, 1, 3, 8, 0, 0, 8, 1, 1) + bytes(8)
    for i in range(count):
        kind = i % 4
        if kind == 0:
            yield rnd.randbytes(rnd.randrange(1, 2000))
        elif kind == 1:
            damaged = bytearray(call())
            damaged[rnd.randrange(4)] ^= 1 << rnd.randrange(8)
            yield bytes(damaged)
        elif kind == 2:
            yield frame * 12
        else:
            # Well-formed, without a key.
            yield call(to_inc=rnd.getrandbits(63) + 1, from_id=rnd.randrange(1, 256))


def strangers(cluster, count):
    wait_members(cluster, "1-2", [cluster[1], cluster[2]])
    before = [rpc(node) for node in (cluster[1], cluster[2])]
    epoch = cluster[1].out("cat /sys/kernel/holon/epoch")
    # A machine on the wire that is no member, and cannot become one.
    stranger = cluster.add_node(3, append=["holon.key=none"])
    wire.install(cluster)
    wire.send(stranger, cluster[1].address, garbage(random.Random(3), count))

    def counted():
        now = rpc(cluster[1])
        return sum(now[f"transport.{name}"] - before[0][f"transport.{name}"]
                   for name in ("strangers", "refused"))
    cluster.wait_until(lambda: counted() == count, f"{count} connections are counted")
    after = [rpc(node) for node in (cluster[1], cluster[2])]
    for old, new in zip(before, after):
        for name in ("transport.malformed", "transport.connections", "transport.peers-down",
                     "rpc.stray", "rpc.requests-open"):
            assert old[name] == new[name], name
        assert new.get("echo.handled", 0) == 0
    assert cluster[1].out("cat /sys/kernel/holon/epoch") == epoch
    wait_members(cluster, "1-2", [cluster[1], cluster[2]])
    # And the cluster is as it was.
    cluster[1].run(f"echo '2 64 64 10' > {DEBUG}/echo")


@pytest.mark.cluster(nodes=2, fresh=True)
def test_strangers_are_counted_and_reach_nothing(cluster):
    strangers(cluster, GARBAGE)


@pytest.mark.long
@pytest.mark.cluster(nodes=2, fresh=True)
def test_many_strangers_are_counted_and_reach_nothing(cluster):
    strangers(cluster, GARBAGE_LONG)


@pytest.mark.cluster(nodes=2, fresh=True)
def test_silent_connections_keep_nobody_out(cluster):
    wait_members(cluster, "1-2", [cluster[1], cluster[2]])
    stranger = cluster.add_node(3, append=["holon.key=none"])
    wire.install(cluster)
    held = stranger.spawn([wire.WIRE, "hold", cluster[1].address, str(wire.PORT), "60"])
    held.wait_output("open")
    cluster.wait_until(lambda: rpc(cluster[1])["transport.strangers"] >= 30,
                       "connections beyond the limit are closed")
    fourth = cluster.add_node(4)
    wait_members(cluster, "1-2,4", [cluster[1], cluster[2], fourth])
    held.signal(9)
    held.wait()


@pytest.mark.cluster(nodes=3, fresh=True)
@pytest.mark.parametrize("kind", ["magic", "short", "reply", "lane"])
def test_a_member_that_sends_a_malformed_frame_leaves_the_view(cluster, kind):
    wait_members(cluster, "1-3")
    malformed = rpc(cluster[1])["transport.malformed"]
    epoch = int(cluster[1].out("cat /sys/kernel/holon/epoch"))
    cluster[3].run(f"echo '1 {kind}' > {DEBUG}/malform")
    cluster.wait_until(lambda: rpc(cluster[1])["transport.malformed"] == malformed + 1,
                       "the frame is counted")
    cluster.wait_until(lambda: int(cluster[1].out("cat /sys/kernel/holon/epoch")) > epoch,
                       "the view changes", timeout=120)
