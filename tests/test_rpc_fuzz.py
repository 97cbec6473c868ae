"""
A member that lies: whatever it sends, the others answer with an error, ignore it, or go on
without it; nothing breaks, hangs or stays behind; rebooted, it joins again.

HOLON_FUZZ_SEED repeats a run.
"""

import json
import uuid

import pytest

import fuzz
from harness.errors import TimedOut
from probe import PROBE, install, placed, ready, running
from rpc_counters import DEBUG, rpc
from runs import grown, usage
from views import wait_agreed

LIAR = 3
VICTIMS = (1, 2)
# A process that goes there and back, and ends by itself should nobody end it.
MOVED = ("while :; do sleep 20 & for i in 1 2 3; do holon task migrate pid $! to %d; "
         "holon task migrate pid $! to %d; done; kill $!; wait $!; done")
# A file that programs read.
SOME = "/etc/passwd"
APPEND = ["holon.fd_ms=6000", "kmemleak=on", "slab_nomerge"]

pytestmark = [pytest.mark.cluster(nodes=3, fresh=True, append=APPEND), pytest.mark.limit(20000)]


def amount(short, many):
    """@short of something, @many of it in the long tier."""
    return pytest.mark.parametrize("count", [
        pytest.param(short, id=str(short)),
        pytest.param(many, id=str(many), marks=pytest.mark.long)])


def forge(liar, frames):
    """Send @frames from @liar; whether it is let is the matter of the test."""
    liar.write("/tmp/frames", b"".join(frames))
    # In one write, as the file takes whole frames. It fails once the lanes are closed.
    liar.run(f"dd if=/tmp/frames of={DEBUG}/forge bs=1048576", check=False)


def handled(cluster):
    """How many messages of all kinds the victims have handled, and how many refused."""
    counters = [rpc(cluster[ident]) for ident in VICTIMS]
    return (sum(value for c in counters for name, value in c.items() if name.endswith(".handled")),
            sum(c["transport.malformed"] for c in counters))


def settle(cluster):
    """Until the liar is a member in good standing, again or still."""
    # A call comes back, or ends with the view that the liar is not in.
    for ident in VICTIMS:
        cluster[LIAR].run(f"echo '{ident} 64 64 1' > {DEBUG}/echo", check=False, timeout=240)
    wait_agreed(cluster, [1, 2, 3], timeout=240)


def nothing_left(cluster, before):
    """No call, no process and no memory is held on the nodes that were lied to."""
    for ident in VICTIMS:
        node = cluster[ident]

        def clean(node=node):
            counters = rpc(node)
            return not counters["rpc.calls-open"] and not counters["rpc.requests-open"] and \
                not running(node) and not grown(before[node.id], usage(node), 100)
        cluster.wait_until(clean, f"nothing is left on node {ident}", timeout=120)
        assert node.leaks() == ""


def reboot_the_liar(cluster):
    """It is gone: the others are as if it never was. Back as a new life it is as good as any."""
    cluster.kill(LIAR)
    wait_agreed(cluster, VICTIMS, timeout=240)
    for ident in VICTIMS:
        # Whatever of the liar's was under way has ended.
        cluster.wait_until(lambda node=cluster[ident]: not rpc(node)["rpc.requests-open"],
                           "no request of the liar is open", timeout=120)
    cluster.revive(LIAR)
    wait_agreed(cluster, [1, 2, 3], timeout=240)
    for home, node in ((1, LIAR), (LIAR, 2)):
        ready(cluster, home, node)


def begin(cluster):
    install(cluster)
    wait_agreed(cluster, [1, 2, 3])
    for home, node in ((1, LIAR), (LIAR, 1), (LIAR, 2)):
        ready(cluster, home, node)
    return {ident: usage(cluster[ident]) for ident in VICTIMS}


@amount(4, 300)
def test_forged_frames(cluster, rnd, capsys, count):
    before = begin(cluster)
    calls = fuzz.Calls()
    sent = 0
    first = handled(cluster)
    for turn in range(count):
        for make, number in ((fuzz.payload_frames, 400), (fuzz.credential_frames, 40),
                             (fuzz.frames, 40)):
            frames = []
            for ident in VICTIMS:
                frames += make(rnd, ident, calls, number)
            rnd.shuffle(frames)
            forge(cluster[LIAR], frames)
            sent += len(frames)
            # Credentials that cannot be cost the connection, too.
            if make is not fuzz.payload_frames or turn % 8 == 7:
                settle(cluster)
    now = handled(cluster)
    with capsys.disabled():
        print(f"{sent} frames, {now[0] - first[0]} messages handled, "
              f"{now[1] - first[1]} connections dropped", flush=True)
    assert now[0] - first[0] > count * 400
    assert now[1] - first[1] >= count
    reboot_the_liar(cluster)
    nothing_left(cluster, before)


@amount(300, 100000)
def test_processes_whose_messages_are_damaged(cluster, rnd, capsys, count):
    """What a member sends about real processes, with wrong bytes in one message out of 30."""
    before = begin(cluster)
    liar = cluster[LIAR]
    loop = f"while :; do holon run -n %d -- {PROBE} exit 0; holon run -n %d -- cat {SOME}; done"
    start = handled(cluster)
    turns = 0
    while handled(cluster)[0] - start[0] < count:
        turns += 1
        first = handled(cluster)[0]
        tasks = []
        for node, target in ((1, LIAR), (2, LIAR), (LIAR, 1), (LIAR, 2)):
            tasks.append(cluster[node].spawn(loop % (target, target), uid=1000))
        for node, target in ((1, LIAR), (LIAR, 1)):
            tasks.append(cluster[node].spawn(placed("signals", node=target), uid=1000))
            tasks.append(cluster[node].spawn(MOVED % (target, node), uid=1000))
        liar.run(f"cd {DEBUG}/rpc_mutate && echo {rnd.getrandbits(32)} > seed && "
                 "echo -1 > times && echo 3 > probability", check=False)
        seen = []

        def enough(first=first, seen=seen):
            seen.append(handled(cluster)[0])
            # After some lies both halves wait, as long as the liar lives.
            return seen[-1] - first > min(count, 3000) // 2 or seen[-20:].count(seen[-1]) == 20
        cluster.wait_until(enough, "messages are handled, or no more come", timeout=600)
        cluster.kill(LIAR)
        for task in tasks:
            if task.running:
                task.kill()
        # A half of a process whose other half is gone ends.
        for ident in VICTIMS:
            cluster.wait_until(lambda node=cluster[ident]: not running(node) and
                               SOME not in node.out("ps"),
                               f"what ran on node {ident} has ended", timeout=120)
        wait_agreed(cluster, VICTIMS, timeout=240)
        cluster.revive(LIAR)
        wait_agreed(cluster, [1, 2, 3], timeout=240)
        for home, node in ((1, LIAR), (LIAR, 1), (LIAR, 2)):
            ready(cluster, home, node)
    with capsys.disabled():
        now = handled(cluster)
        print(f"{turns} turns, {now[0] - start[0]} messages handled, "
              f"{now[1] - start[1]} connections dropped", flush=True)
    nothing_left(cluster, before)


@amount(3, 200)
def test_lies_about_views(cluster, rnd, capsys, count):
    """
    They may end the cluster, as a member decides who is one. But no kernel breaks, and
    nodes that start anew form one again.
    """
    agreed = ended = 0
    for _ in range(count):
        now = wait_agreed(cluster, [1, 2, 3], timeout=240)
        shown = json.loads(cluster[LIAR].out("holon -j node show"))
        members = [(n["node"], int(n["incarnation"]), uuid.UUID(n["uuid"]).bytes) for n in shown]
        frames = []
        for ident in VICTIMS:
            frames += fuzz.view_frames(rnd, ident, 30, uuid.UUID(now.cluster).bytes, now.epoch,
                                       members)
        rnd.shuffle(frames)
        forge(cluster[LIAR], frames)
        for ident in VICTIMS:
            cluster[ident].out("holon node show")
        cluster.kill(LIAR)
        try:
            wait_agreed(cluster, VICTIMS, timeout=30)
            agreed += 1
        except TimedOut:
            ended += 1
            for ident in VICTIMS:
                cluster[ident].out("holon node show")
                cluster[ident].reboot()
        cluster.revive(LIAR)
        wait_agreed(cluster, [1, 2, 3], timeout=240)
    with capsys.disabled():
        print(f"{agreed} times the others went on, {ended} times the cluster ended", flush=True)


@amount(3, 600)
def test_bits_that_change_on_the_wire(cluster, rnd, count):
    """Everything that a node sends passes somebody who changes a bit now and then."""
    before = begin(cluster)
    for _ in range(count):
        tasks = [cluster[LIAR].spawn(f"while :; do {' '.join(placed('exit', 0, node=1))}; done",
                                     uid=1000)]
        flipped = cluster.switch.stats()["flipped"]
        for ident in VICTIMS:
            cluster.switch.flip(LIAR, ident, rnd.choice((0.02, 0.05, 0.2)))
        # Thrown out of the cluster, it sends a few frames in a second and no more.
        cluster.wait_until(lambda flipped=flipped: cluster.switch.stats()["flipped"] > flipped + 10,
                           "ten bits are changed", timeout=300)
        cluster.heal()
        for task in tasks:
            task.kill()
            task.wait()
        wait_agreed(cluster, [1, 2, 3], timeout=240)
    reboot_the_liar(cluster)
    nothing_left(cluster, before)
