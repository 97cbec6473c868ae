"""Who has a cluster key is let in, nobody else; what is recorded or changed on the wire is of no use."""

import json

import pytest

import wire
from rpc_counters import rpc
from views import APPEND, view, wait_agreed
from wire import PORT

KEY = "/etc/holon/cluster.key"

pytestmark = pytest.mark.cluster(nodes=2, fresh=True, append=APPEND)


def reason(node, about):
    """Why @about was refused, as @node shows it, or an empty text."""
    for entry in json.loads(node.out("holon -j node show")):
        if entry["node"] == about:
            return entry.get("reason") or ""
    return ""


def wait_reason(cluster, node, about, words):
    cluster.wait_until(lambda: words in reason(node, about), f"{node.name} to say why: {words}")


def test_a_node_without_or_with_another_key(cluster):
    before = wait_agreed(cluster, [1, 2])
    third = cluster.add_node(3, append=["holon.key=none"])
    wait_reason(cluster, third, 3, "no cluster key is loaded")
    refused = third.run("holon cluster create", check=False)
    assert refused.status == 1 and "holon cluster key load" in refused.err
    assert not json.loads(third.out("holon -j cluster key"))

    # A key of its own: all three say so.
    third.run("holon cluster key generate file /tmp/own; holon cluster key load file /tmp/own")
    for node, other in ((third, 1), (third, 2), (cluster[1], 3), (cluster[2], 3)):
        wait_reason(cluster, node, other, "the cluster keys differ")
    assert view(third).state == "alone"
    assert view(cluster[1]) == before

    # The key of the others, at last.
    third.run(f"holon cluster key load file {KEY}")
    after = wait_agreed(cluster, [1, 2, 3])
    assert after.epoch == before.epoch + 1
    assert all("keys" not in reason(node, other.id) for node in cluster for other in cluster)


def test_of_two_nodes_one_does_not_encrypt(cluster):
    before = wait_agreed(cluster, [1, 2])
    third = cluster.add_node(3, append=["holon.insecure=1"])
    for node, other in ((third, 1), (cluster[1], 3), (cluster[2], 3)):
        wait_reason(cluster, node, other, "one encrypts and one does not")
    assert view(third).state == "alone"
    assert view(cluster[1]) == before


def ids(node):
    return [entry["key"] for entry in json.loads(node.out("holon -j cluster key"))]


def distribute(cluster, change):
    """Change the file on node 1, bring it to all, load it everywhere."""
    cluster[1].run(f"holon cluster key {change}")
    text = cluster[1].read(KEY)
    for node in cluster:
        node.write(KEY, text)
        node.run(f"chmod 600 {KEY}; holon cluster key load")


def test_keys_are_exchanged_while_the_cluster_runs(cluster):
    before = wait_agreed(cluster, [1, 2])
    old = ids(cluster[1])
    task = cluster[1].spawn("holon run -n 2 -- sh -c 'read line; echo $line'", open_stdin=True)
    distribute(cluster, "add")
    both = ids(cluster[2])
    assert len(both) == 2 and both[:1] == old
    # A node that has only one of the two, and is connected with that one.
    third = cluster.add_node(3)
    wait_agreed(cluster, [1, 2, 3])
    assert ids(third) == old
    distribute(cluster, "promote")
    assert ids(cluster[2]) == both[::-1]
    distribute(cluster, "prune")
    assert [ids(node) for node in cluster] == [both[1:]] * 3
    # Nobody left; the guest has not noticed.
    assert wait_agreed(cluster, [1, 2, 3]).epoch == before.epoch + 1
    task.input(b"still here\n")
    assert task.wait().out.strip() == "still here"
    # The old key has ended: a node that boots with it stays out.
    fourth = cluster.add_node(4)
    wait_reason(cluster, fourth, 1, "the cluster keys differ")
    fourth.write(KEY, cluster[1].read(KEY))
    fourth.run(f"chmod 600 {KEY}; holon cluster key load")
    wait_agreed(cluster, [1, 2, 3, 4])


def test_a_file_of_keys_that_others_can_read_is_refused(cluster):
    node = cluster[1]
    node.run("holon cluster key generate file /tmp/k; chmod 644 /tmp/k")
    refused = node.run("holon cluster key load file /tmp/k", check=False)
    assert refused.status == 1 and "chmod 600" in refused.err
    again = node.run("holon cluster key generate file /tmp/k", check=False)
    assert again.status == 1 and "exists" in again.err
    node.run("echo 12345 > /tmp/k; chmod 600 /tmp/k")
    refused = node.run("holon cluster key load file /tmp/k", check=False)
    assert refused.status == 1 and "line 1" in refused.err
    assert node.run("holon cluster key add promote", check=False).status == 2


def test_an_operator_is_no_administrator(cluster):
    wait_agreed(cluster, [1, 2])
    node = cluster[2]
    operator = {"uid": 1000, "gid": 1077}
    asked = node.run("holon node leave", check=False, **operator)
    assert asked.status == 1 and "holon.group" in asked.err
    node.write("/sys/module/holon/parameters/group", "1077")
    node.run("holon node leave", **operator)
    assert view(node).state == "alone"
    node.run("holon node join", **operator)
    wait_agreed(cluster, [1, 2])
    # Keys and the id are not for operators; nor is the file.
    node.run(f"cp {KEY} /tmp/mine; chown 1000 /tmp/mine")
    asked = node.run("holon cluster key load file /tmp/mine", check=False, **operator)
    assert asked.status == 1 and "as root" in asked.err
    assert node.run("holon node set id 9", check=False, **operator).status == 1
    assert node.run(f"cat {KEY}", check=False, **operator).status != 0


# --- on the wire ---

def streams(cluster, source, target):
    """What @source sent to port PORT of @target, per connection, in order."""
    segments = {}
    for frm, to, protocol, sport, dport, sequence, payload in wire.packets(cluster):
        if (frm, to, protocol, dport) == (source, target, "tcp", PORT) and payload:
            segments.setdefault(sport, {}).setdefault(sequence, payload)
    return [b"".join(parts[sequence] for sequence in sorted(parts))
            for parts in segments.values()]


def test_a_recorded_session_is_refused(cluster):
    wait_agreed(cluster, [1, 2])
    victim = cluster[2]
    cluster[1].run("holon run -n 2 -- true")
    # The lower id connects.
    recorded = streams(cluster, cluster[1].address, victim.address)
    assert len(recorded) == 5 and all(len(stream) >= 2 * 288 for stream in recorded)
    hellos = [payload for frm, _, protocol, _, dport, _, payload in wire.packets(cluster)
              if (frm, protocol, dport) == (cluster[1].address, "udp", PORT)]
    assert hellos
    stranger = cluster.add_node(3, append=["holon.key=none"])
    before, then = rpc(victim), view(victim)
    wire.install(cluster)
    # An answer to each CALL comes back; it is another one than the recorded.
    assert wire.send(stranger, victim.address, recorded) == [288] * 5
    for number, payload in enumerate(hellos[-8:]):
        stranger.write(f"/tmp/h{number}", payload)
    stranger.run(f"{wire.WIRE} datagram {victim.address} {PORT} /tmp/h*")
    # Each gets as far as the proof that somebody is there now.
    cluster.wait_until(lambda: rpc(victim)["transport.unproven"] ==
                       before["transport.unproven"] + 5, "five proofs that are refused")
    after = rpc(victim)
    for name in ("connections", "malformed", "peers-up", "peers-down"):
        assert after[f"transport.{name}"] == before[f"transport.{name}"], name
    assert view(victim) == then
    cluster[1].run("holon run -n 2 -- true")


MARKER = "Rindfleischetikettierung"


def on_the_wire(cluster):
    return any(MARKER.encode() in payload for *_, payload in wire.packets(cluster))


def test_nothing_can_be_read_on_the_wire(cluster):
    wait_agreed(cluster, [1, 2])
    assert cluster[2].out(f"holon run -n 1 -- sh -c 'echo {MARKER}'").strip() == MARKER
    assert not on_the_wire(cluster)


@pytest.mark.cluster(nodes=2, fresh=True, append=[*APPEND, "holon.insecure=1"])
def test_insecure_is_what_it_says(cluster):
    wait_agreed(cluster, [1, 2])
    assert cluster[2].out(f"holon run -n 1 -- sh -c 'echo {MARKER}'").strip() == MARKER
    assert on_the_wire(cluster)
    # Authentication stays.
    third = cluster.add_node(3, append=["holon.key=none"])
    third.run("holon cluster key generate file /tmp/own; holon cluster key load file /tmp/own")
    wait_reason(cluster, third, 1, "the cluster keys differ")


def test_a_program_on_a_node_is_nobody(cluster):
    wait_agreed(cluster, [1, 2])
    before, then = rpc(cluster[1]), view(cluster[1])
    # As any user; from the other node, and from the node itself.
    for count, node in enumerate((cluster[2], cluster[1]), 1):
        node.run(f"nc -w 60 {cluster[1].address} {PORT} < /dev/zero; true", uid=1000, gid=1000)
        cluster.wait_until(lambda: rpc(cluster[1])["transport.strangers"] ==
                           before["transport.strangers"] + count, "the connection to be closed")
    # Nor does it get the port, of either protocol.
    wire.install(cluster)
    assert cluster[1].out(f"{wire.WIRE} bind {PORT}", uid=1000, gid=1000).splitlines() == \
        ["Address already in use"] * 2
    after = rpc(cluster[1])
    assert after["transport.unproven"] == before["transport.unproven"]
    assert view(cluster[1]) == then
