"""
The holon command on a running cluster: all nodes show the same members and
epoch, text and JSON agree, who may change what, and events.
"""

import json

import pytest

pytestmark = pytest.mark.cluster(nodes=3)


def ask(node, *words):
    return json.loads(node.out(["holon", "-j", *words]))


def formed(cluster, members):
    """All of @members see exactly @members, in one steady view; its epoch."""
    def check():
        seen = [ask(cluster[i], "cluster", "show") for i in members]
        return (all(c["members"] == members and c["steady"] for c in seen) and
                len({(c["epoch"], c["uuid"]) for c in seen}) == 1 and seen[0]["epoch"])
    return cluster.wait_until(check, f"the cluster is {members}", timeout=120)


def test_all_nodes_show_the_same_members_and_epoch(cluster):
    epoch = formed(cluster, [1, 2, 3])
    for node in cluster:
        nodes = ask(node, "node", "show")
        assert [n["node"] for n in nodes if n["member"]] == [1, 2, 3]
        assert [n["node"] for n in nodes if n["self"]] == [node.id]
        assert all(n["connected"] for n in nodes)
        mine = ask(node, "cluster", "show")
        assert mine["epoch"] == epoch
        assert mine["node"] == node.id
        assert mine["state"] == "member"
        # The option may also stand behind the verb.
        assert [n["node"] for n in json.loads(node.out("holon node show --json"))] == [1, 2, 3]


def test_text_says_what_json_says(cluster):
    formed(cluster, [1, 2, 3])
    lines = cluster[2].out("holon node show").splitlines()
    assert lines[0].split()[:4] == ["NODE", "SELF", "MEMBER", "STATE"]
    assert [line.split()[:4] for line in lines[1:]] == [
        ["1", "-", "yes", "member"], ["2", "yes", "yes", "member"], ["3", "-", "yes", "member"]]
    text = dict(line.split(None, 1) for line in cluster[2].out("holon cluster").splitlines())
    shown = ask(cluster[2], "cluster", "show")
    assert text["members"] == "1,2,3"
    assert text["uuid"] == shown["uuid"]
    assert text["epoch"] == str(shown["epoch"])


def test_one_node_by_its_id(cluster):
    formed(cluster, [1, 2, 3])
    node = ask(cluster[1], "node", "show", "id", "3")
    assert node["node"] == 3
    assert node["uuid"] == str(cluster[3].uuid)
    assert node["incarnation"] == ask(cluster[3], "node", "show", "id", "3")["incarnation"]
    assert node["address"].startswith(cluster[3].address + ":")
    result = cluster[1].run("holon node show id 77", check=False)
    assert result.status == 1
    assert "nothing has been heard of this node" in result.err


def test_clocks_of_the_nodes_are_compared(cluster):
    formed(cluster, [1, 2, 3])

    def known():
        pair = ask(cluster[1], "node", "show", "id", "2"), ask(cluster[2], "node", "show", "id", "1")
        return all(n["round-trip-us"] for n in map(lambda n: {"round-trip-us": 0, **n}, pair)) and pair
    there, back = cluster.wait_until(known, "a heartbeat was answered both ways")
    # Each is good to half a round trip.
    slack = (there["round-trip-us"] + back["round-trip-us"]) * 1000
    assert abs(there["clock-offset-ns"] + back["clock-offset-ns"]) <= slack


def test_everybody_may_look_and_root_may_change(cluster):
    formed(cluster, [1, 2, 3])
    assert len(json.loads(cluster[1].out("holon -j node show", uid=1000))) == 3
    assert "transport" in cluster[1].out("holon stats", uid=1000)
    for words in ("cluster leave", "cluster create", "node join", "node set id 4"):
        result = cluster[1].run(f"holon {words}", uid=1000, check=False)
        assert result.status == 1
        assert result.err.startswith("holon: ")
        assert "CAP_SYS_ADMIN" in result.err
    formed(cluster, [1, 2, 3])


def test_refusals_say_why(cluster):
    formed(cluster, [1, 2, 3])
    for words, sentence in (("node set id 9", "this node is node 1"),
                            ("cluster create", "cluster"), ("node join", "cluster")):
        result = cluster[1].run(f"holon {words}", check=False)
        assert result.status == 1, words
        assert sentence in result.err
        assert "errno" not in result.err and "Kernel error" not in result.err
    assert cluster[1].run("holon nosuch", check=False).status == 2
    assert cluster[1].run("holon node frob", check=False).status == 2


def test_counters_add_up(cluster):
    formed(cluster, [1, 2, 3])

    def closed():
        stats = ask(cluster[1], "stats")
        return all(t["calls"] == t["replies"] + t["errors"] + t["hostdown"] + t["refused"]
                   for t in stats["rpc"]) and stats
    stats = cluster.wait_until(closed, "no call is open")
    counters = {(c["group"], c["counter"]): c["value"] for c in stats["counter"]}
    assert counters[("transport", "peers-up")] >= 2 or counters[("transport", "peers_up")] >= 2
    assert [t["id"] for t in stats["rpc"]] == sorted(t["id"] for t in stats["rpc"])
    for t in stats["rpc"]:
        assert sum(t["latency"]) == t["replies"] + t["errors"]


def test_monitor_shows_who_leaves_and_joins(cluster):
    formed(cluster, [1, 2, 3])
    monitor = cluster[1].spawn(["holon", "-j", "monitor", "view"])
    text = cluster[2].spawn(["holon", "monitor"])
    monitor.wait_output('"event":"now".*\n')
    text.wait_output("now epoch .*members 1,2,3.*\n")
    cluster[3].run("holon node leave")
    epoch = formed(cluster, [1, 2])
    assert ask(cluster[3], "cluster", "show")["members"] == []
    monitor.wait_output('"event":"view".*"left":\\[3\\].*\n')
    text.wait_output("view epoch .*members 1,2 joined - left 3")
    cluster[3].run("holon node join")
    assert formed(cluster, [1, 2, 3]) > epoch
    monitor.wait_output('"event":"view".*"joined":\\[3\\].*\n')
    text.wait_output("view epoch .*members 1,2,3 joined 3 left -")
    for task in (monitor, text):
        task.signal(15)
        assert task.wait().signal == 15
    views = [e for e in map(json.loads, monitor.wait().out.splitlines()) if e["event"] == "view"]
    assert [e["members"] for e in views] == [[1, 2], [1, 2, 3]]
    assert views[0]["epoch"] == epoch
