"""A program that uses libholon to move itself."""

import re
import subprocess

import pytest

from harness import config
from probe import all_ready
from runs import there
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=3)

YNL = config.BUILD / "linux/tools/net/ynl/lib"
HERE = config.REPO / "tests"


@pytest.fixture
def ready(cluster):
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    library = config.BUILD / "userland/libholon/libholon.a"
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread",
                    "-I", config.REPO / "userland/libholon", "-isystem", YNL,
                    "-I", config.REPO / "kernel/include/uapi", "-o", cluster.home / "moves_itself",
                    HERE / "moves_itself.c", library], check=True)
    return cluster


@pytest.mark.parametrize("start", ["", there(3)], ids=["home", "away"])
def test_from_node_to_node(ready, start):
    """Home, away, from one to another, where it is, and where nobody is."""
    said = ready[1].out(f"{start} /home/moves_itself 2 3 3 1 9 257 2", timeout=300).splitlines()
    ways = ["on 2", "on 3", "on 3", "on 1", "no: node 9 is no member of the cluster", "on 1",
            "no: 257 is not a node id: say a number from 1 to 255", "on 1", "on 2"]
    assert said == [*ways, *ways, "end"]


def test_what_cannot_move_is_told_how_to_find_out(ready):
    said = ready[1].out("/home/moves_itself shared 2", timeout=300)
    no = r"no: it has not moved; holon task show pid \d+, by another process, says why\non 1\n"
    assert re.fullmatch(f"({no}){{2}}end", said), said
