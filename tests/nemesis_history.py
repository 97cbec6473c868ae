"""
What a cluster may have done while a nemesis was at it: a checker of recorded histories.

A history is a list of the events below, in any order; times are seconds of one
clock. check() gives a sentence for each thing that must not be. It knows nothing of
nodes and networks, so that tests/unit/test_nemesis_history.py can try it on histories
that no cluster should ever have.
"""

from collections import namedtuple

# A node installed a view. @life counts the boots of the node.
View = namedtuple("View", "t node life cluster epoch members")
# A node saw that it is no member any more.
Out = namedtuple("Out", "t node life")
# A node was killed or reset; stood still between two times.
Kill = namedtuple("Kill", "t node")
Frozen = namedtuple("Frozen", "t node until")
# A program of @home runs on @node; was seen to run; was told to end; its parent saw the end.
Run = namedtuple("Run", "t run home node")
Tick = namedtuple("Tick", "t run")
Stop = namedtuple("Stop", "t run")
End = namedtuple("End", "t run signal status")
# After a time without faults: the views of all nodes {node: (cluster, epoch, members)}, the
# runs that tick, and those whose parents wait.
Quiet = namedtuple("Quiet", "t views ticking waiting")


def is_quorum(view, members):
    """May @members, some of the nodes of @view, decide what comes after it?"""
    there = set(view) & set(members)
    return 2 * len(there) > len(view) or (2 * len(there) == len(view) and min(view) in there)


def of(history, kind):
    return sorted((event for event in history if isinstance(event, kind)), key=lambda e: e.t)


def check_one_set(history):
    """No epoch of a cluster has two member sets."""
    seen = {}
    for view in of(history, View):
        first = seen.setdefault((view.cluster, view.epoch), view)
        if first.members != view.members:
            yield (f"epoch {view.epoch} is {sorted(first.members)} on node {first.node} "
                   f"and {sorted(view.members)} on node {view.node}")


def check_chain(history):
    """Every view but a founding one has a quorum of its predecessor."""
    members = {(view.cluster, view.epoch): view.members for view in of(history, View)}
    for (cluster, epoch), after in sorted(members.items()):
        if epoch == 1:
            continue
        before = members.get((cluster, epoch - 1))
        if before is None:
            yield f"epoch {epoch}: nobody installed the view before it"
        elif not is_quorum(before, after):
            yield (f"epoch {epoch}: {sorted(after)} has no quorum of {sorted(before)}, "
                   "the view before it")


def check_growth(history):
    """On a node the epochs of a cluster grow; a node installs only what it is in."""
    last = {}
    for view in of(history, View):
        if view.node not in view.members:
            yield f"node {view.node} installed epoch {view.epoch}, of which it is no member"
        key = view.node, view.life, view.cluster
        if view.epoch <= last.get(key, 0):
            yield f"node {view.node} installed epoch {view.epoch} after {last[key]}"
        last[key] = view.epoch


def check_pairs(history):
    """When all is quiet a guest runs exactly where a parent waits for it."""
    for quiet in of(history, Quiet):
        for run in sorted(set(quiet.ticking) - set(quiet.waiting)):
            yield f"run {run} goes on, and nobody at its home knows it"
        for run in sorted(set(quiet.waiting) - set(quiet.ticking)):
            yield f"run {run} does not run, and its parent waits for it"


def check_agreement(history):
    """When all is quiet all nodes show one view of all of them."""
    for quiet in of(history, Quiet):
        if len(set(quiet.views.values())) != 1 or \
                any(set(members) != set(quiet.views) for _, _, members in quiet.views.values()):
            yield f"no agreement: {quiet.views}"


# Consoles are slower to tell of a view than an agent is of the end that it brought.
LATE = 5


def _lost(history, node, since, until):
    """Was there a reason to think that @node is dead?"""
    until += LATE
    for event in history:
        if isinstance(event, View) and since <= event.t <= until and node not in event.members:
            return True
        if isinstance(event, (Out, Kill)) and event.node == node and since <= event.t <= until:
            return True
    return False


def check_ends(history):
    """What was not told to end ends only with a node, as by SIGKILL; what was, does."""
    runs = {run.run: run for run in of(history, Run)}
    stops = {stop.run for stop in of(history, Stop)}
    for end in of(history, End):
        run = runs.get(end.run)
        if end.run in stops:
            if end.signal not in (9, 15):
                yield f"run {end.run}: told to end it ended with {end.signal or end.status}"
            continue
        if end.signal != 9:
            yield f"run {end.run}: ended with {end.signal or end.status}, and nobody told it to"
        elif not any(_lost(history, node, run.t, end.t) for node in (run.home, run.node)):
            yield f"run {end.run}: killed, and neither node {run.home} nor node {run.node} was lost"


def _stood_still(history, node, since, until):
    return sum(max(0, min(until, event.until) - max(since, event.t))
               for event in of(history, Frozen) if event.node == node)


def check_components(history, grace):
    """
    A node that others have gone on without runs nothing any more, @grace seconds of its
    own running time after they did.
    """
    views = of(history, View)
    left = of(history, (Out, Kill))
    runs = {run.run: run for run in of(history, Run)}
    for tick in of(history, Tick):
        node = runs[tick.run].node
        mine = [view for view in views if view.node == node and view.t <= tick.t]
        if not mine or any(event.node == node and mine[-1].t < event.t <= tick.t
                           for event in left):
            continue
        for view in views:
            if view.cluster != mine[-1].cluster or view.epoch <= mine[-1].epoch or \
                    node in view.members or view.t >= tick.t:
                continue
            late = tick.t - view.t - _stood_still(history, node, view.t, tick.t)
            if late > grace:
                yield (f"run {tick.run} goes on on node {node}, {late:.1f} s after others "
                       f"installed epoch {view.epoch} without it")
                break


def check(history, grace=None):
    """
    All that is wrong with @history, as sentences. With @grace the rule for nodes that were
    cut off is applied, too: only kernels with leases keep to it.
    """
    rules = [check_one_set, check_chain, check_growth, check_pairs, check_agreement, check_ends]
    wrong = [sentence for rule in rules for sentence in rule(history)]
    if grace is not None:
        wrong += check_components(history, grace)
    return wrong
