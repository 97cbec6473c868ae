"""
Ordinary programs while somebody moves whatever they consist of, all the time, to any
node: they write and end as if nobody had.
"""

import shlex
import time

import pytest

from probe import all_ready
from rpc_counters import rpc
from runs import grown, make_files, outcome, usage
from views import wait_agreed

pytestmark = pytest.mark.cluster(nodes=3, image="root", append=["slab_nomerge"])

# Each writes the same whenever it runs. What they leave lies in a directory of their own.
PROGRAMS = {
    "shell": "for i in 1 2 3 4 5 6 7 8; do seq $((i * 500)) | sort -r | md5sum; done",
    "pipeline": "cat /home/data | tr a-z A-Z | sed s/LINE/x/ | sort | uniq -c | sort -n | cut -c1-20 "
                "| awk '{ s += $1 } END { print s, NR }'",
    "xz": "xz -9 -T4 < /home/data | xz -d | cmp - /home/data && echo same",
    "compiler": "for i in 1 2 3; do gcc -O2 -o hello /home/hello.c && ./hello one two; echo $?; done",
    "python": "python3 -c 'import json, subprocess\n"
              "words = json.load(open(\"/home/words.json\"))\n"
              "for n in range(6):\n"
              "    r = subprocess.run([\"wc\", \"-c\", \"/home/data\"], capture_output=True)\n"
              "    print(n, r.stdout, sum(w[\"n\"] for w in words))'",
    "perl": "perl -e 'for (1..6) { my $x = `seq 300 | tail -1`; print \"$_ $x\"; $s += $_ ** 2 for 1..200000 } "
            "print \"$s\\n\"'",
    "jobs": "for i in 1 2 3 4 5; do (sleep $i; exit $i) & p=\"$p $!\"; done; "
            "for q in $p; do wait $q; echo $?; done",
    "make": "cat > Makefile <<'END'\n"
            "all: sum; ./sum; echo $$?\n"
            "sum: 1.o 2.o 3.o 4.o 5.o 6.o 7.o 8.o main.o; gcc -o $@ $^\n"
            "Makefile: ;\n"
            "main.c: ; (for i in 1 2 3 4 5 6 7 8; do echo \"int f$$i(void);\"; done; "
            "echo \"int main(void) { return f1() + f8() - 900; }\") > $@\n"
            "%.c: ; echo \"int f$*(void) { return $* * 111; }\" > $@\n"
            ".SECONDARY:\nEND\n"
            "make -j4 > log 2>&1; grep -v \"modification time\\|Clock skew\" log | sort; rm -f *.o *.c sum",
    "files": "(for i in 1 2 3 4 5 6; do echo line $i; seq $i | tail -1; (echo inner $i) & wait; done) > out; "
             "cat out; while read word rest; do echo $word-$rest | cat; done < out >> more; "
             "md5sum more; rm more",
    "stages": "seq 80000 | sed s/1/x/ | tr 2 y | grep -v 33 | rev | sort | uniq | rev | head -5000 | md5sum",
    "sqlite": "rm -f db; for t in 1 2 3; do sqlite3 db 'create table if not exists t (a, b); begin; "
              "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000) "
              "insert into t select i, i * i from n; commit; select count(*), sum(b) from t'; done; rm db",
    "threads": "python3 -c 'import threading\nout = []\n"
               "def work(n):\n    out.append(sum(i * n for i in range(150000)))\n"
               "for _ in range(3):\n"
               "    all = [threading.Thread(target=work, args=(n,)) for n in range(6)]\n"
               "    [t.start() for t in all]\n    [t.join() for t in all]\n"
               "print(sorted(out))'",
    "terminal": "python3 -c 'import os, pty\n"
                "pid, fd = pty.fork()\n"
                "if not pid: os.execvp(\"bash\", [\"bash\", \"--norc\", \"--noediting\"])\n"
                "def until(what, text=b\"\"):\n"
                "    while what not in text: text += os.read(fd, 1000)\n"
                "os.write(fd, b\"stty -echo; PS1=; echo x$((6*7))\\n\"); until(b\"x42\")\n"
                "for n in range(8):\n"
                "    os.write(fd, b\"seq %d | tail -1 | sed s/^/got/\\n\" % (n + 40)); until(b\"got%d\\r\" % (n + 40))\n"
                "os.write(fd, b\"sleep 100\\n\"); import time; time.sleep(1); os.write(fd, b\"\\x03\")\n"
                "os.write(fd, b\"echo status $?\\n\"); until(b\"status 130\")\n"
                "os.write(fd, b\"exit 7\\n\"); print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))'",
    "digest": "for i in 1 2 3 4; do openssl dgst -sha512 /home/data /home/numbers; done",
}

# Moves one process of session $1 after the other until $2 is gone; then how many it has moved.
MOVER = r"""
moved=0
while [ -e $2 ]; do
    pid=$(pgrep -s $1 | shuf -n 1)
    [ -n "$pid" ] && holon task migrate pid $pid to $((RANDOM % 3 + 1)) 2>> $2.log && moved=$((moved + 1))
done
echo $moved
"""


@pytest.fixture
def ready(cluster):
    wait_agreed(cluster, [1, 2, 3])
    all_ready(cluster)
    make_files(cluster[1])
    return cluster


def run_moved(node, name, program):
    """Its (status, output) while it is moved, and how often it was."""
    script = f"mkdir -p /home/{name} && cd /home/{name}; echo sid $$ >&2; {program}"
    task = node.spawn(["setsid", "-w", "bash", "-c", script])
    session = int(task.wait_output(r"sid (\d+)\n").group(1))
    flag = f"/tmp/storm-{name}"
    for name in (flag, f"{flag}.log"):
        node.write(name, "")
    mover = node.spawn(["bash", "-c", MOVER, "mover", str(session), flag])
    result = task.wait(timeout=600)
    node.run(["rm", flag])
    moved = int(mover.wait().out)
    status = 128 + result.signal if result.signal else result.status
    return (status, result.stdout), moved


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_storm(ready, name):
    one = ready[1]
    before = {node.id: usage(node) for node in ready}
    program = PROGRAMS[name]
    home = outcome(one, f"mkdir -p /home/{name} && cd /home/{name} && ({program})", timeout=300)[:2]
    got, moved = run_moved(one, name, program)
    assert got == home, (name, moved, one.read(f"/tmp/storm-{name}.log")[-2000:])
    assert moved, one.read(f"/tmp/storm-{name}.log")[-2000:]
    for node in ready:
        ready.wait_until(lambda node=node: not rpc(node)["rpc.calls-open"] and
                         not grown(before[node.id], usage(node), 80),
                         f"nothing is left on node {node.id}", timeout=120)


@pytest.mark.long
def test_storm_for_long(ready):
    """A quarter of an hour of all of them."""
    one = ready[1]
    end = time.monotonic() + 900
    home = {name: outcome(one, f"mkdir -p /home/{name} && cd /home/{name} && ({program})")[:2]
            for name, program in PROGRAMS.items()}
    while time.monotonic() < end:
        for name, program in PROGRAMS.items():
            got, moved = run_moved(one, name, program)
            assert got == home[name], (name, moved, shlex.quote(program))
