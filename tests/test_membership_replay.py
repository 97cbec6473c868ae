"""
Hellos of lives that are over, sent again by a stranger: they tell nobody that a node is
there or gone. Where nothing newer was heard, connections are tried that fail.
"""

import json
import socket
import struct
from collections import namedtuple

import pytest

import fuzz
import wire
from cluster_key import FILE, ClusterKey
from rpc_counters import rpc
from views import APPEND, view, wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, fresh=True, append=APPEND)

# Two ports of the switch without a machine: whence hellos come, and what is none.
STRANGER, MARK = 5, 6
ALONE, MEMBER = 1, 3
# Of the beginning and of the end of a life: of one address 32 hellos a second are looked at.
SOME = 5

Hello = namedtuple("Hello", "node incarnation state payload")


def recorded(cluster):
    """The hellos that have gone over the wire, in their order, none twice."""
    seen = {}
    for _, _, protocol, _, port, _, payload in wire.packets(cluster):
        if (protocol, port, len(payload)) == ("udp", wire.PORT, 152):
            incarnation, node = struct.unpack_from("<Q16xB", payload, 8)
            seen[payload] = Hello(node, incarnation, payload[99], payload)
    return list(seen.values())


def life(cluster, ident):
    """Hellos of the life of node @ident, once it has said that it is alone and that it is a member."""
    incarnation = int(cluster[ident].out("cat /sys/kernel/holon/incarnation"), 16)

    def said():
        hellos = [h for h in recorded(cluster) if (h.node, h.incarnation) == (ident, incarnation)]
        return {ALONE, MEMBER} <= {h.state for h in hellos} and hellos
    hellos = cluster.wait_until(said, f"hellos of node {ident} on the wire")
    return hellos[:SOME] + hellos[SOME:][-SOME:]


class Stranger:
    """A machine on the wire."""

    def __init__(self, cluster):
        self.cluster = cluster
        self._port = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def send(self, source, to, payload):
        self._port.sendto(fuzz.datagram(source, to, payload, card=STRANGER),
                          f"{self.cluster.sockets}/sw{STRANGER}")

    def _settle(self, node):
        """Until @node has looked at whatever was sent to it; its counters."""
        self.cluster.switch.sync()
        bad = rpc(node)["transport.hellos-bad"]
        self.send(MARK, node.id, b"no hello")
        self.cluster.wait_until(lambda: rpc(node)["transport.hellos-bad"] > bad,
                                f"{node.name} to come to the last datagram")
        return rpc(node)

    def replay(self, node, hellos, heard=(1, 2, 3)):
        """
        Send @hellos to @node again, from the address of their node and from our own. Return: how
        many of them, at least, it has taken for news; what the nodes @heard have said
        meanwhile is no replay.
        """
        def said():
            return sum(h.node in heard for h in recorded(self.cluster))
        genuine = -said()
        before = self._settle(node)
        for hello in hellos:
            for source in (hello.node, STRANGER):
                if source != node.id:
                    self.send(source, node.id, hello.payload)
        after = self._settle(node)
        genuine += said()
        return after["transport.hellos"] - before["transport.hellos"] - genuine


@pytest.fixture
def stranger(cluster):
    return Stranger(cluster)


def shown(node):
    """What @node says of each node: {id: entry}"""
    return {entry["node"]: entry for entry in json.loads(node.out("holon -j node show"))}


def reasons(nodes):
    return {(node.id, about): entry["reason"] for node in nodes
            for about, entry in shown(node).items() if entry.get("reason")}


CONNECTIONS = ("connections", "peers-up", "peers-down", "refused", "unproven", "malformed")


def connections(node):
    counters = rpc(node)
    return {name: counters[f"transport.{name}"] for name in CONNECTIONS}


def kill(cluster, ident):
    """The view of the others, once their connections to it are closed."""
    others = {node: connections(node)["peers-down"] for node in cluster if node.id != ident}
    cluster.kill(ident)
    without = wait_agreed(cluster, [node.id for node in others])
    for node, down in others.items():
        cluster.wait_until(lambda node=node, down=down: connections(node)["peers-down"] > down,
                           f"{node.name} to close its connections")
    return without


def works(cluster, members):
    for home in members:
        for there in members:
            assert cluster[home].out(f"holon run -n {there} -- echo to").strip() == "to"


def test_hellos_of_earlier_lives(cluster, stranger):
    whole = wait_agreed(cluster, [1, 2, 3])
    first = life(cluster, 2)
    others = [cluster[1], cluster[3]]

    # It is down: nobody takes its last life for a new one.
    without = kill(cluster, 2)
    before = [connections(node) for node in others]
    for node in others:
        assert stranger.replay(node, first) <= 0
    assert [view(node) for node in others] == [without] * 2
    assert [connections(node) for node in others] == before

    # It is back: what its earlier life said changes nothing, not even on itself.
    cluster.revive(2)
    again = wait_agreed(cluster, [1, 2, 3])
    assert again.epoch == without.epoch + 1
    second = life(cluster, 2)
    assert second[0].incarnation > first[0].incarnation
    before = [connections(node) for node in cluster]
    for node in cluster:
        # Nothing but that it comes from a node with a key is asked of what is said of oneself.
        assert stranger.replay(node, first) <= (len(first) if node.id == 2 else 0)
    assert [view(node) for node in cluster] == [again] * 3
    assert [connections(node) for node in cluster] == before
    assert reasons(cluster) == {}
    works(cluster, [1, 2, 3])

    # Down for long, a life before the last may be its next one, of a clock that was set back: it is
    # called, does not answer, and nothing else happens.
    without = kill(cluster, 2)
    before = [connections(node) for node in others]
    assert first[0].state == ALONE
    for node in others:
        def believed(node=node):
            stranger.replay(node, first[:1])
            return int(shown(node)[2]["incarnation"]) == first[0].incarnation
        cluster.wait_until(believed, f"{node.name} to hear of the older life", timeout=120)
        # Now the later one is news, and the older one is not.
        assert stranger.replay(node, second, heard=[4 - node.id]) > 0
        assert stranger.replay(node, first) <= 0
    for node, then in zip(others, before):
        cluster.wait_until(lambda node=node, then=then:
                           connections(node)["peers-down"] > then["peers-down"],
                           f"{node.name} to give up the call")
        assert connections(node)["peers-up"] == then["peers-up"]
    assert [view(node) for node in others] == [without] * 2
    assert not shown(cluster[1])[2].get("member")
    assert reasons(others) == {}

    # And the next life gets in.
    cluster.revive(2)
    last = wait_agreed(cluster, [1, 2, 3])
    assert last == whole._replace(epoch=without.epoch + 1)
    assert reasons(cluster) == {}
    works(cluster, [1, 2, 3])


@pytest.mark.parametrize("ident", [1, 3])
def test_an_earlier_life_is_what_a_node_hears_first(cluster, stranger, ident):
    """Node 3 waits for a call of the life that is over; node 1 calls it. Neither is kept from the new one."""
    wait_agreed(cluster, [1, 2, 3])
    first = life(cluster, 2)
    cluster.kill(2)
    wait_agreed(cluster, [1, 3])
    cluster.revive(2)
    wait_agreed(cluster, [1, 2, 3])

    cluster.kill(ident)
    other = 4 - ident
    without = wait_agreed(cluster, [2, other])
    cluster.cut(ident, 2)
    cluster.revive(ident)
    node = cluster[ident]
    assert stranger.replay(node, first, heard=[other]) > 0
    assert view(node).state != "member"
    assert [view(cluster[member]) for member in (2, other)] == [without] * 2
    cluster.heal()
    again = wait_agreed(cluster, [1, 2, 3])
    assert again.epoch == without.epoch + 1
    assert reasons(cluster) == {}
    works(cluster, [1, 2, 3])


def test_hellos_of_a_cluster_that_is_no_more(cluster, stranger):
    """Nobody joins it, and a new one is founded."""
    old = wait_agreed(cluster, [1, 2, 3])
    key = ClusterKey(cluster[1].read(FILE))
    hellos = {ident: life(cluster, ident) for ident in (1, 2, 3)}
    # As if there had been a fourth member, which does not come back.
    said = hellos[3][-1]
    assert said.state == MEMBER
    payload = bytearray(said.payload)
    payload[32] = 9
    payload[100:104] = socket.inet_aton("10.77.0.9")
    fourth = said._replace(node=9, payload=key.sign_hello(bytes(payload)))
    for ident in (1, 2, 3):
        cluster.kill(ident)
    cluster.partition({1}, {2}, {3})
    for ident in (1, 2, 3):
        cluster.revive(ident)
    for node in cluster:
        for ident in hellos:
            stranger.replay(node, hellos[ident])
        stranger.replay(node, [fourth])
        entries = shown(node)
        for ident in hellos:
            old_life = int(entries[ident]["incarnation"]) == hellos[ident][0].incarnation
            assert old_life == (ident != node.id)
        assert entries[9]["state"] == "member"
    assert [view(node).state for node in cluster] == ["alone"] * 3
    cluster.heal()
    new = wait_agreed(cluster, [1, 2, 3])
    assert new.cluster != old.cluster
    assert reasons(cluster) == {}
    works(cluster, [1, 2, 3])
