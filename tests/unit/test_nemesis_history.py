"""The checker of the nemesis accepts what a cluster may do, and finds each thing it must not."""

import pytest

from nemesis_history import (End, Frozen, Kill, Out, Quiet, Run, Stop, Tick, View, check,
                             is_quorum)

A, B = "cluster-a", "cluster-b"


def views(t, epoch, members, cluster=A, life=1, on=None):
    return [View(t, node, life, cluster, epoch, frozenset(members)) for node in on or members]


def quiet(t, epoch, members, ticking=(), waiting=(), cluster=A):
    shown = cluster, epoch, frozenset(members)
    return Quiet(t, {node: shown for node in members}, frozenset(ticking), frozenset(waiting))


# Node 3 is cut off, comes back; its guest and its parent's guest end; another goes on.
GOOD = [
    *views(1, 1, {1, 2, 3}),
    Run(2, "1-3", 1, 3), Run(2, "3-2", 3, 2), Run(2, "1-2", 1, 2),
    Tick(3, "1-3"), Tick(3, "3-2"), Tick(3, "1-2"),
    *views(10, 2, {1, 2}), End(10.1, "1-3", 9, None), Tick(10.5, "1-3"),
    Out(14, 3, 1), End(14.1, "3-2", 9, None),
    *views(16, 3, {1, 2, 3}),
    Tick(18, "1-2"), quiet(19, 3, {1, 2, 3}, {"1-2"}, {"1-2"}),
    Stop(20, "1-2"), End(20.1, "1-2", 15, None),
]


def wrong(*more, without=(), grace=None):
    return check([event for event in GOOD if event not in without] + list(more), grace)


def only(found, what):
    assert len(found) == 1, found
    assert what in found[0]


def test_what_may_be():
    assert wrong() == []
    assert wrong(grace=2) == []


@pytest.mark.parametrize("view, some, answer", [
    ({1, 2, 3}, {2, 3}, True), ({1, 2, 3}, {1}, False), ({1, 2}, {1}, True), ({1, 2}, {2}, False),
    ({1, 2, 3, 4}, {1, 4}, True), ({1, 2, 3, 4}, {2, 3}, False), ({2}, {2, 3}, True),
    ({1, 2, 3}, {4, 5}, False),
])
def test_quorum(view, some, answer):
    assert is_quorum(view, some) is answer


def test_two_sets_in_one_epoch():
    found = wrong(*views(10.2, 2, {2, 3}, on=[3]))
    assert any("epoch 2 is [1, 2] on node 1 and [2, 3] on node 3" in line for line in found)


def test_two_clusters_may_have_one_epoch():
    assert wrong(*views(30, 1, {1, 2}, cluster=B, life=2)) == []


def test_a_view_without_a_quorum_of_the_last_one():
    only(wrong(*views(30, 4, {3})), "epoch 4: [3] has no quorum of [1, 2, 3]")


def test_a_view_that_follows_nothing():
    only(wrong(*views(30, 5, {1, 2, 3})), "epoch 5: nobody installed the view before it")


def test_an_epoch_that_goes_back():
    only(wrong(*views(30, 2, {1, 2}, on=[1])), "node 1 installed epoch 2 after 3")


def test_another_life_begins_where_it_joins():
    assert wrong(Kill(30, 2), *views(31, 4, {1, 3}), *views(35, 5, {1, 2, 3}, on=[1, 3]),
                 *views(35, 5, {1, 2, 3}, life=2, on=[2])) == []


def test_a_view_of_others():
    only(wrong(*views(10.2, 2, {1, 2}, on=[3])), "node 3 installed epoch 2, of which it is no")


def test_a_guest_that_runs_on_after_its_pair_died():
    only(wrong(quiet(19.5, 3, {1, 2, 3}, {"1-2", "3-2"}, {"1-2"})), "run 3-2 goes on")


def test_a_parent_that_waits_for_nobody():
    only(wrong(quiet(19.5, 3, {1, 2, 3}, {"1-2"}, {"1-2", "1-3"})), "run 1-3 does not run")


def test_nodes_that_do_not_agree():
    split = Quiet(30, {1: (A, 3, frozenset({1, 2})), 2: (A, 3, frozenset({1, 2})),
                       3: (A, 2, frozenset({1, 2, 3}))}, frozenset(), frozenset())
    only(wrong(split), "no agreement")
    only(wrong(quiet(30, 4, {1, 2})._replace(views={1: (A, 4, frozenset({1})),
                                                  2: (A, 4, frozenset({1}))})), "no agreement")


def test_a_run_that_is_killed_for_nothing():
    only(wrong(End(12, "1-2", 9, None), without=[Stop(20, "1-2"), End(20.1, "1-2", 15, None)],
               ), "run 1-2: killed, and neither node 1 nor node 2 was lost")


def test_a_run_that_ends_by_itself():
    only(wrong(Run(30, "2-1", 2, 1), End(31, "2-1", None, 4)), "run 2-1: ended with 4")


def test_a_run_that_does_not_end_as_it_was_told():
    only(wrong(Run(30, "2-1", 2, 1), Stop(31, "2-1"), End(31, "2-1", None, 1)),
         "run 2-1: told to end it ended with 1")


def test_the_death_of_either_node_is_a_reason():
    for node in (2, 1):
        assert wrong(Run(30, "2-1", 2, 1), Kill(31, node), End(32, "2-1", 9, None)) == []
    only(wrong(Run(30, "2-1", 2, 1), Kill(31, 3), End(32, "2-1", 9, None)), "run 2-1: killed")


def test_a_node_that_runs_on_without_the_others():
    late = Tick(13, "1-3")
    only(wrong(late, grace=2), "run 1-3 goes on on node 3, 3.0 s after others installed epoch 2")
    # Without leases nobody promises that.
    assert wrong(late) == []
    # It stood still meanwhile, and knew nothing.
    assert wrong(late, Frozen(10.5, 3, 12.5), grace=2) == []
    assert wrong(late, Frozen(8, 3, 11.5), grace=2) == []
    only(wrong(late, Frozen(8, 3, 10.5), grace=2), "2.5 s after")


def test_a_node_that_is_back_in_may_run():
    assert wrong(Run(30, "1-3b", 1, 3), Tick(31, "1-3b"), grace=2) == []
