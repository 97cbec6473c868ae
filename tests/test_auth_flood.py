"""Callers that have the cluster key and do no more than call: the cluster goes on, and nothing of them stays."""

import pytest

import wire
from cluster_key import FILE, ClusterKey, Handshake
from rpc_counters import rpc
from runs import grown, usage
from test_rpc_malformed import call
from test_upgrade import answer, between
from views import APPEND, view, wait_agreed

# A node is called by lower ids only: between these there are some that nobody has.
MEMBERS = (1, 2, 12)
JOINER = 7
STRANGER = 9
# Of one address 16 connections are half open at a time, of all 128. These leave room for others.
SOURCES = [f"10.77.0.{host}" for host in range(101, 107)]
TALKER = "10.77.0.111"
PER_SOURCE = 16
PER_FLOOD = 30
RANKS = range(5)


def incarnation(node):
    return int(node.out("cat /sys/kernel/holon/incarnation"), 16)


def calls(key, victim):
    """Of real nodes, of absent ones and of the joiner, as far as a caller gets without listening."""
    life = incarnation(victim)
    for ident in (*MEMBERS, JOINER, 3, 4, 5, 6, 200):
        yield key.sign_call(call(rank=ident % 5, from_id=ident, to_id=victim.id, to_inc=life))


class Liar:
    """Handshakes with one node, of any node."""

    def __init__(self, rnd, key, stranger, victim):
        self.rnd = rnd
        self.key = key
        self.victim = victim
        self.life = incarnation(victim)
        self.talk = wire.Talk(stranger, victim.address, TALKER)

    def handshake(self, rank, **who):
        """One to its end: (number of the connection, errno and reason of the verdict)."""
        shake = Handshake(self.key, self.rnd.randbytes(32))
        what = dict(rank=rank, to_id=self.victim.id, to_inc=self.life, public=b"", **who)
        number = self.talk.begin(shake.sign(call(**what)))
        answer = self.talk.record(number, 0)
        assert answer[10:12] == bytes(2) and shake.check(answer)
        what["to_uuid"] = self.victim.uuid.bytes
        self.talk.go_on(number, shake.sign(call(kind=3, **what)))
        verdict = self.talk.record(number, 1)
        assert shake.check(verdict)
        return number, int.from_bytes(verdict[10:12], "little"), \
            verdict[152:248].rstrip(b"\0").decode()

    def refused(self, words, **who):
        number, error, reason = self.handshake(0, **who)
        assert error and words in reason, reason
        self.talk.wait_closed(number)

    def admitted(self, ident, ranks):
        """The connections @ranks of a node that has no machine."""
        who = dict(from_id=ident, from_uuid=self.rnd.randbytes(16), attempt=ident)
        numbers = []
        for rank in ranks:
            number, error, reason = self.handshake(rank, **who)
            assert not error, reason
            numbers.append(number)
        return numbers


def sockets(node, addresses=None):
    """How many connections of the cluster @node has; with @addresses those to them."""
    count = 0
    for line in node.read("/proc/net/tcp").splitlines()[1:]:
        local, remote, state = line.split()[1:4]
        host = ".".join(str(byte) for byte in bytes.fromhex(remote[:8])[::-1])
        # Established, or closed by the other side.
        if state in ("01", "08") and f":{wire.PORT:04X}" in (local[-5:], remote[-5:]):
            count += not addresses or host in addresses
    return count


def wait_flooded(cluster, node):
    """Those that have a key are let wait, but only so many of one address."""
    held = PER_SOURCE * len(SOURCES)
    cluster.wait_until(lambda: held // 2 < sockets(node, SOURCES) <= held + PER_SOURCE,
                       f"the flood stands before {node.name}")


def go_on(runs):
    """Each of the loops @runs makes some more rounds."""
    for run in runs:
        run.wait_output(f"(?m)^{run.stdout.count(10) + 5}$", timeout=300)


@pytest.mark.cluster(nodes=2, fresh=True, append=[*APPEND, "kmemleak=on", "slab_nomerge"])
def test_a_flood_of_callers_that_have_the_key(cluster, rnd, capsys):
    cluster.add_node(12)
    before = wait_agreed(cluster, MEMBERS)
    members = [cluster[ident] for ident in MEMBERS]
    wire.install(cluster)
    key = ClusterKey(cluster[1].read(FILE))
    stranger = cluster.add_node(STRANGER, append=["holon.key=none"])
    for address in (*SOURCES, TALKER):
        stranger.run(f"ip address add {address}/24 dev eth0")
    used = {node.id: usage(node) for node in members}
    counted = {node.id: rpc(node) for node in members}
    assert [sockets(node) for node in members] == [10] * 3

    pairs = [(1, 12), (2, 1), (12, 2)]
    talks = [between(cluster, *pair) for pair in pairs]
    runs = [cluster[home].spawn(f"i=0; while holon run -n {there} -- true; do echo $i; i=$((i + 1)); done")
            for home, there in pairs]
    for talk in talks:
        answer(talk, "before")
    floods = []
    for node in members:
        for number, record in enumerate(calls(key, node)):
            stranger.write(f"/tmp/{node.id}-{number}", record)
        for source in SOURCES:
            floods.append(stranger.spawn(f"exec {wire.WIRE} flood {node.address} {wire.PORT} "
                                         f"{PER_FLOOD} {source} /tmp/{node.id}-*"))
    for flood in floods:
        flood.wait_output("full", timeout=120)

    for node in members:
        wait_flooded(cluster, node)

    # Handshakes to their end, meanwhile. Of real nodes:
    liars = [Liar(rnd, key, stranger, node) for node in members]
    for liar, node in zip(liars, members):
        liar.refused("your node id is in use", from_id=node.id)
        liar.refused("the lower node id connects", from_id=200)
    for liar, node in zip(liars[1:], members[1:]):
        liar.refused("belongs to another machine", from_id=1, from_inc=incarnation(cluster[1]))
        # All that is known of node 1, which is connected.
        liar.refused("an earlier connection", from_id=1, from_inc=incarnation(cluster[1]),
                     from_uuid=cluster[1].uuid.bytes)
    # Of nodes that nobody has: connected, and silent. One has not made all its connections.
    for ident in (3, 4, 5):
        liars[2].admitted(ident, RANKS)
    half = liars[2].admitted(6, (0, 3))
    cluster.wait_until(lambda: rpc(cluster[12])["transport.peers-up"] ==
                       counted[12]["transport.peers-up"] + 3, "three are connected")

    # The cluster works, and takes a node.
    go_on(runs)
    for talk in talks:
        answer(talk, "during")
    assert view(cluster[1]) == before
    cluster.add_node(JOINER)
    after = wait_agreed(cluster, [*MEMBERS, JOINER])
    assert after.epoch == before.epoch + 1
    for ident in MEMBERS:
        assert cluster[JOINER].out(f"holon run -n {ident} -- echo to").strip() == "to"
        assert cluster[ident].out(f"holon run -n {JOINER} -- echo from").strip() == "from"
    # As long as a handshake may take: by now the first callers have been replaced.
    for number in half:
        liars[2].talk.wait_closed(number)
    go_on(runs)
    for node in members:
        wait_flooded(cluster, node)
    assert sockets(cluster[12], [TALKER]) == 15
    assert view(cluster[1]) == after

    # It ends, and nothing is left.
    for talk in talks:
        answer(talk, "after")
        talk.close_input()
        assert talk.wait().status == 0
    for run in runs:
        assert run.running
        run.kill()
        run.wait()
    for flood in floods:
        assert flood.running
        flood.kill()
        flood.wait()
    for liar in liars:
        liar.talk.close()
    for node in members:
        def clean(node=node):
            return sockets(node) == 15 and not grown(used[node.id], usage(node), 100)
        cluster.wait_until(clean, f"nothing is left on {node.name}", timeout=120)
        assert node.leaks() == ""
    with capsys.disabled():
        print(*(f"{node.name}: " + ", ".join(
            f"{rpc(node)[f'transport.{name}'] - counted[node.id][f'transport.{name}']} {name}"
            for name in ("strangers", "refused", "unproven")) for node in members), sep="\n")
    assert wait_agreed(cluster, [*MEMBERS, JOINER]) == after
