"""What strangers send reaches nothing; what a member sends wrongly costs it its place."""

import random
import socket
import struct

import pytest

import fuzz
import wire
from cluster_key import FILE, ClusterKey
from rpc_counters import DEBUG, rpc, wait_members

GARBAGE = 40
GARBAGE_LONG = 500


# Frames to node 1 that no member sends.
WRONG = {
    "magic": fuzz.frame(1, fuzz.REQ, 8, bytes(8), call=fuzz.FORGED, magic=0),
    # An echo without its size.
    "short": fuzz.frame(1, fuzz.REQ, 8, call=fuzz.FORGED),
    # To a call that nobody made.
    "reply": fuzz.frame(1, fuzz.RSP, 1, bytes(8), call=1 << 40),
    # Right in itself, on a lane where it must not be.
    "lane": fuzz.frame(1, fuzz.REQ, 10, call=fuzz.FORGED),
}


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


def mutated(rnd, count):
    """Handshakes that are right but for a byte or two, and what may follow them."""
    for _ in range(count):
        record = fuzz.mutate(rnd, call(rank=rnd.randrange(5), from_id=rnd.randrange(1, 256)))
        if rnd.random() < 0.3:
            record = fuzz.resize(rnd, record)
        yield record + rnd.randbytes(rnd.choice((0, 32, 400)))


def datagrams(rnd, count, nodes):
    """Hellos of everybody: random bytes, damaged ones, members that claim to be something else."""
    for _ in range(count):
        node = rnd.choice(nodes)
        life = node.out("cat /sys/kernel/holon/incarnation") if rnd.random() < 0.02 else "5"
        who = fuzz.ident(rnd.choice((node.id, rnd.randrange(1, 256))), int(life, 16),
                         rnd.choice((node.uuid.bytes, rnd.randbytes(16))))
        hello = fuzz.hello(who, state=rnd.randrange(8), epoch=rnd.getrandbits(20),
                           expect=rnd.randrange(256), port=rnd.choice((wire.PORT, 0, 1)))
        kind = rnd.randrange(4)
        if kind == 0:
            hello = rnd.randbytes(rnd.randrange(1, 300))
        elif kind == 1:
            hello = fuzz.mutate(rnd, hello)
        elif kind == 2:
            hello = fuzz.resize(rnd, hello)
        yield fuzz.datagram(rnd.choice((node.id, 3, 99)), rnd.choice((0, 1, 2)), hello)


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


def hellos_and_handshakes(cluster, rnd, count):
    wait_members(cluster, "1-2", [cluster[1], cluster[2]])
    # A stranger without a machine: a socket at the port of the switch.
    port = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for datagram in datagrams(rnd, count * 10, [cluster[1], cluster[2]]):
        port.sendto(datagram, f"{cluster.sockets}/sw5")
    port.close()
    cluster.switch.sync()
    stranger = cluster.add_node(3, append=["holon.key=none"])
    wire.install(cluster)
    for node in (cluster[1], cluster[2]):
        wire.send(stranger, node.address, mutated(rnd, count))
    wait_members(cluster, "1-2", [cluster[1], cluster[2]])
    for node in (cluster[1], cluster[2]):
        counters = rpc(node)
        assert counters["transport.strangers"] + counters["transport.refused"] > 0
        assert counters["transport.hellos-bad"] + counters["transport.unproven"] > count
        cluster.wait_until(lambda node=node: not rpc(node)["rpc.requests-open"], "no request is open")
    cluster[1].run(f"echo '2 64 64 10' > {DEBUG}/echo")
    fourth = cluster.add_node(4)
    wait_members(cluster, "1-2,4", [cluster[1], cluster[2], fourth])


@pytest.mark.cluster(nodes=2, fresh=True)
def test_damaged_hellos_and_handshakes(cluster, rnd):
    hellos_and_handshakes(cluster, rnd, 40)


@pytest.mark.long
@pytest.mark.cluster(nodes=2, fresh=True)
def test_many_damaged_hellos_and_handshakes(cluster, rnd):
    hellos_and_handshakes(cluster, rnd, 2000)


def signed_calls(rnd, key, count):
    """Calls of somebody who has the key and says what it likes; then no proof that it is there now."""
    for _ in range(count):
        record = call(rank=rnd.randrange(6), from_id=rnd.randrange(256), to_id=rnd.choice((1, 2, 7)),
                      low=rnd.choice((0, 1, 2, 0xffff)), high=rnd.choice((0, 1, 2, 0xffff)))
        yield key.sign_call(fuzz.mutate(rnd, record)) + rnd.randbytes(rnd.choice((0, 288, 700)))


def signed_hellos(rnd, key, count, nodes):
    """Hellos of somebody who has the key: of members and of others, with anything in them."""
    for _ in range(count):
        node = rnd.choice(nodes)
        who = fuzz.ident(rnd.choice((node.id, rnd.randrange(5, 256))), rnd.getrandbits(64),
                         rnd.choice((node.uuid.bytes, rnd.randbytes(16))))
        hello = fuzz.hello(who, state=rnd.randrange(8), epoch=rnd.getrandbits(20),
                           expect=rnd.randrange(256), port=rnd.choice((wire.PORT, 0, 1)))
        if rnd.random() < 0.5:
            hello = fuzz.mutate(rnd, hello)
        # From many addresses: of one only so many are looked at.
        yield fuzz.datagram(rnd.randrange(20, 250), rnd.choice((0, 1, 2)), key.sign_hello(hello))


def liars_with_the_key(cluster, rnd, count):
    wait_members(cluster, "1-2", [cluster[1], cluster[2]])
    key = ClusterKey(cluster[1].read(FILE))
    epoch = cluster[1].out("cat /sys/kernel/holon/epoch")
    before = {node.id: rpc(node) for node in cluster}
    port = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for datagram in signed_hellos(rnd, key, count * 10, [cluster[1], cluster[2]]):
        port.sendto(datagram, f"{cluster.sockets}/sw5")
    port.close()
    cluster.switch.sync()
    stranger = cluster.add_node(3, append=["holon.key=none"])
    wire.install(cluster)
    for ident in (1, 2):
        node = cluster[ident]
        answers = wire.send(stranger, node.address, signed_calls(rnd, key, count))
        # Some were answered, as only those are that have the key.
        assert any(size >= 288 for size in answers)
        assert rpc(node)["transport.hellos"] > before[ident]["transport.hellos"]
        # It does look for those who say hello, and finds nobody.
        for name in ("connections", "peers-up"):
            assert rpc(node)[f"transport.{name}"] == before[ident][f"transport.{name}"], name
    # Nobody is put out, whatever was said about it.
    assert cluster[1].out("cat /sys/kernel/holon/epoch") == epoch
    wait_members(cluster, "1-2", [cluster[1], cluster[2]])
    cluster[1].run(f"echo '2 64 64 10' > {DEBUG}/echo")
    fourth = cluster.add_node(4)
    wait_members(cluster, "1-2,4", [cluster[1], cluster[2], fourth])


@pytest.mark.cluster(nodes=2, fresh=True)
def test_hellos_and_handshakes_of_liars_with_the_key(cluster, rnd):
    liars_with_the_key(cluster, rnd, 60)


@pytest.mark.long
@pytest.mark.limit(10000)
@pytest.mark.cluster(nodes=2, fresh=True)
def test_many_hellos_and_handshakes_of_liars_with_the_key(cluster, rnd):
    liars_with_the_key(cluster, rnd, 2000)


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
@pytest.mark.parametrize("kind", sorted(WRONG))
def test_a_member_that_sends_a_malformed_frame_leaves_the_view(cluster, kind):
    wait_members(cluster, "1-3")
    malformed = rpc(cluster[1])["transport.malformed"]
    epoch = int(cluster[1].out("cat /sys/kernel/holon/epoch"))
    cluster[3].write(f"{DEBUG}/forge", WRONG[kind])
    cluster.wait_until(lambda: rpc(cluster[1])["transport.malformed"] == malformed + 1,
                       "the frame is counted")
    cluster.wait_until(lambda: int(cluster[1].out("cat /sys/kernel/holon/epoch")) > epoch,
                       "the view changes", timeout=120)
