"""A program on another node has from its parent what execve() hands on, and gives back its end."""

import pytest

from probe import PROBE, install, placed, ready

pytestmark = pytest.mark.cluster(nodes=2)


@pytest.fixture(autouse=True)
def probe(cluster):
    install(cluster)
    cluster.wait_view({1, 2})
    ready(cluster)


def inherited(node, before, where, **options):
    out = node.out(f"{before} exec {where} {PROBE} inherited 'a b' ''", **options)
    # The number differs from run to run.
    return [line for line in out.splitlines() if not line.startswith("pid ")]


@pytest.mark.parametrize("before", [
    "cd /home; umask 037; A='b c' D=",
    "cd /tmp;",
    "ulimit -n 100; ulimit -c 0; ulimit -s 4096;",
    "trap '' INT HUP USR1;",
    "exec 3</etc/passwd 4>>/home/appended 5<&3 6</dev/null 7</tmp; read line <&3;",
    "cd /home; exec 9<bin/probe;",
], ids=["environment", "directory", "limits", "ignored", "files", "position"])
def test_a_program_inherits_the_same(cluster, before):
    home = inherited(cluster[1], before, "")
    assert inherited(cluster[1], before, "holon run -n 2 --") == home
    assert any(line.startswith("limit ") for line in home)


def test_a_program_has_the_rights_of_its_user(cluster):
    home = inherited(cluster[1], "", "", uid=1000)
    assert inherited(cluster[1], "", "holon run -n 2 --", uid=1000) == home
    assert home[1].startswith("ids 1000 1000")


def test_a_signal_that_waits_goes_along(cluster):
    home, away = (cluster[1].out([PROBE, "pend", *where, PROBE, "inherited"]).splitlines()
                  for where in ([], ["holon", "run", "-n", "2", "--"]))
    assert "signal 10 blockedpending" in away
    assert [line for line in away if not line.startswith("pid ")] == \
        [line for line in home if not line.startswith("pid ")]


def test_a_set_user_id_program(cluster):
    # On the root, which is the same everywhere: the bits mean nothing on /home.
    for node in cluster:
        node.run(f"cp {PROBE} /bin/setid && chmod 6755 /bin/setid")
    node = cluster[1]
    home, away = (node.out([*where, "/bin/setid", "inherited"], uid=1000, gid=1000).splitlines()
                  for where in ([], ["holon", "run", "-n", "2", "--"]))
    assert away[1] == home[1] == "ids 1000 0 1000 0"
    # Executed away from home it gains nothing: its deputy is the user's.
    away = node.out(placed("exec", "/bin/setid", "inherited"), uid=1000, gid=1000).splitlines()
    assert away[1] == "ids 1000 1000 1000 1000"


def test_a_filtered_program_stays_in_its_filter(cluster):
    """There, and what it executes there, too."""
    one = cluster[1]
    assert one.run(placed("ustat"), check=False).status not in (0, 77)
    assert one.run([PROBE, "filter", *placed("ustat")], check=False).status == 77
    assert one.run([PROBE, "filter", *placed("filter", PROBE, "ustat")], check=False).status == 77


def test_a_program_has_its_number_and_its_parent(cluster):
    result = cluster[1].run('echo "$$"; exec holon run -n 2 -- ' + PROBE + " inherited")
    pid, rest = result.out.split("\n", 1)
    words = next(line for line in rest.splitlines() if line.startswith("pid ")).split()
    assert words[1] == pid
    assert int(words[1]) >> 22 == 1


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_exit_codes(cluster, code):
    assert cluster[1].run(placed("exit", code), check=False).status == code


@pytest.mark.parametrize("number", [1, 2, 3, 6, 9, 11, 13, 14, 15, 34])
def test_death_by_a_signal(cluster, number):
    assert cluster[1].run(placed("raise", number), check=False).signal == number


def test_death_by_a_fault(cluster):
    assert cluster[1].run(placed("fault"), check=False).signal == 11


def test_the_parent_is_told_what_was_used(cluster):
    result = cluster[1].run(placed("burn", 300, 16), check=False)
    assert result.status == 5
    # In any unit it is a good deal more than the deputy uses itself.
    idle = cluster[1].run(placed("exit", 0)).usage
    assert result.usage["utime"] + result.usage["stime"] > idle["utime"] + idle["stime"]
    assert result.usage["maxrss"] >= 16 << 10


def test_a_program_executes_another(cluster):
    assert cluster[1].run(placed("exec", PROBE, "exit", 6), check=False).status == 6
    assert cluster[1].out(placed("exec", "/bin/uname", "-n")) == "node1"
    # What only home has is executed at home.
    cluster[1].run(f"cp {PROBE} /tmp/only-home")
    assert cluster[1].run(placed("exec", "/tmp/only-home", "exit", 7), check=False).status == 7


def test_scripts(cluster):
    cluster[1].run("printf '#!/bin/sh\\necho \"$0 $1\"\\n' > /home/script; "
                   "printf 'echo plain \"$1\"\\n' > /home/plain; chmod 755 /home/script /home/plain")
    assert cluster[1].out("holon run -n 2 -- /home/script x") == "/home/script x"
    # Without #! the shell is tried after the first execve() has failed.
    assert cluster[1].out("holon run -n 2 -- /home/plain y") == "plain y"


def test_many_arguments_travel_in_pieces(cluster):
    # More than one message holds.
    line = ("x=$(head -c 100000 /dev/zero | tr '\\0' x); set -- " + "$x " * 15 +
            "; holon run -n 2 -- sh -c 'echo $# ${#15}' sh \"$@\"")
    assert cluster[1].out(line) == "15 100000"
