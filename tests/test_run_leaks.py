"""Runs on another node leave nothing behind, on either node."""

import pytest

from runs import grown, there, usage

ROUNDS = [pytest.param(300, id="300"), pytest.param(10000, id="10000", marks=pytest.mark.long)]


@pytest.mark.parametrize("count", ROUNDS)
@pytest.mark.cluster(nodes=2, append=["kmemleak=on", "slab_nomerge"], fresh=True)
@pytest.mark.limit(20000)
def test_short_runs_leave_nothing(cluster, count):
    cluster.wait_view({1, 2})
    line = "i=0; while [ $i -lt %d ]; do " + there(2) + "true || exit 1; i=$((i + 1)); done"
    # What the first runs set up stays.
    cluster[1].run(line % 20, timeout=300)
    before = {node.id: usage(node) for node in cluster}
    cluster[1].run(line % count, timeout=4 * count + 300)

    def nothing_grew():
        more.clear()
        for node in cluster:
            more.update({node.id: grown(before[node.id], usage(node), count // 4)})
        return not any(more.values())

    more = {}
    try:
        cluster.wait_until(nothing_grew, "what ran is gone", timeout=60)
    finally:
        assert not any(more.values()), more
    for node in cluster:
        assert node.leaks() == ""
