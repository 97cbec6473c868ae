"""
Whatever happens to nodes and links, in whatever order: one history of views, no half of a
process without the other, one cluster again after the end of all faults, nothing left over.

HOLON_NEMESIS_SECONDS is how long, HOLON_NEMESIS_SEED repeats a run as far as time does.
"""

import os
import random

import pytest

from nemesis import OPTIONS, Nemesis


def _bother(cluster, capsys, seconds):
    seconds = float(os.environ.get("HOLON_NEMESIS_SECONDS", seconds))
    seed = int(os.environ.get("HOLON_NEMESIS_SEED", random.randrange(1 << 32)))

    def say(line):
        with capsys.disabled():
            print(line, flush=True)

    say(f"\nHOLON_NEMESIS_SEED={seed}")
    nemesis = Nemesis(cluster, seed, say)
    try:
        nemesis.run(seconds)
    finally:
        nemesis.close()
    say(f"{nemesis.rounds} rounds, {nemesis.restarts} times all had to restart")
    assert nemesis.rounds > nemesis.restarts


@pytest.mark.cluster(nodes=3, **OPTIONS)
def test_three_nodes(cluster, capsys):
    _bother(cluster, capsys, 120)


@pytest.mark.long
@pytest.mark.limit(100000)
@pytest.mark.cluster(nodes=4, **OPTIONS)
def test_four_nodes_for_long(cluster, capsys):
    _bother(cluster, capsys, 3600)
