"""A node that dies takes the other halves of its processes with it, and nothing stays behind."""

import pytest

from probe import install, placed, ready, running

pytestmark = pytest.mark.cluster(nodes=2, fresh=True)


def begin(cluster):
    install(cluster)
    cluster.wait_view({1, 2})
    ready(cluster)
    ready(cluster, home=2, node=1)


def test_the_node_of_the_guest_dies(cluster):
    begin(cluster)
    tasks = [cluster[1].spawn(placed(what)) for what in ("sleep", "spin", "signals")]
    tasks.append(cluster[1].spawn(placed("signals"), open_stdin=True))
    for task in tasks:
        task.wait_output("ready")
    cluster.kill(2)
    for task in tasks:
        assert task.wait().signal == 9
    # Until it is back a placement fails, with a sentence.
    result = cluster[1].run(placed("exit", 0), check=False)
    assert result.status == 125 and "node 2" in result.err
    cluster.revive(2)
    ready(cluster)
    assert cluster[1].run(placed("exit", 4), check=False).status == 4


def test_the_home_dies(cluster):
    begin(cluster)
    tasks = [cluster[2].spawn(placed(what, node=1)) for what in ("sleep", "spin", "signals")]
    for task in tasks:
        task.wait_output("ready")
    assert len(running(cluster[1])) == 3
    cluster.kill(2)
    cluster.wait_until(lambda: not running(cluster[1]), "the guests are gone", timeout=120)
    cluster.wait_until(lambda: "holon-home-2" not in cluster[1].out("ps"), "and their container")
    cluster.revive(2)
    ready(cluster, home=2, node=1)


def test_a_node_dies_while_programs_are_placed(cluster):
    begin(cluster)
    task = cluster[1].spawn("n=0; while [ $n -lt 400 ]; do " + " ".join(placed("exit", 0)) +
                            " || break; n=$((n + 1)); echo run $n; done; echo end")
    task.wait_output("run 5\n")
    cluster.kill(2)
    task.wait_output("end\n", timeout=120)
    assert task.wait().status == 0
    assert running(cluster[1]) == []
