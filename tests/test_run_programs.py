"""Unmodified programs of Debian do on another node what they do at home."""

import pytest

from runs import make_files, outcome, same, there

pytestmark = pytest.mark.cluster(nodes=3, image="root")


@pytest.fixture(autouse=True)
def files(cluster):
    cluster.wait_view({1, 2, 3})
    make_files(cluster[1])


def test_a_program_runs_on_the_node_it_was_placed_on(cluster):
    for target in (2, 3):
        task = cluster[1].spawn(["holon", "run", "-n", target, "--", "sleep", "100000"])
        cluster.wait_until(lambda: "sleep" in cluster[target].out("ps -A"), f"on node {target}")
        assert "sleep" not in cluster[5 - target].out("ps -A")
        task.signal(15)
        assert task.wait().signal == 15
        cluster.wait_until(lambda: "sleep" not in cluster[target].out("ps -A"), "it is gone")
    # The program sees its home: that is the one system it runs on.
    assert outcome(cluster[1], there(2) + "uname -n") == (0, b"node1\n", b"")


@pytest.mark.parametrize("command", [
    "{} sha256sum data numbers",
    "{} sha256sum < data",
    "{} sort data",
    "{} sort -n < data | tail -n 5",
    "{} gzip -9 < data",
    "{} gzip -9 < data | {} gzip -dc | cmp - data",
    "{} xz -T1 -1 -c data",
    "{} openssl enc -aes-256-cbc -pbkdf2 -S 0011223344556677 -pass pass:secret -in data | md5sum",
    "{} openssl dgst -sha512 data",
    "{} openssl speed -seconds 1 -bytes 1024 sha256 > /dev/null 2>&1",
    "{} python3 -c 'print(sum(i * i % 7 for i in range(50000)), 2 ** 521 % 1000003)'",
    "{} python3 -c 'import json; print(len(json.dumps(json.load(open(\"words.json\")))))'",
    "{} python3 -c 'import re; print(len(re.findall(r\"[0-9]+7 l\", open(\"data\").read())))'",
    "{} perl -ne '$s += $1 if /^(\\d+)/; END { print \"$s\\n\" }' data",
    "{} awk '{ s += $1 } END { print NR, s }' < data",
    "{} $(gcc -print-prog-name=cc1) -quiet -O2 hello.c -o -",
    "{} busybox md5sum data",
    "{} env A=b printenv A HOME PWD",
    "{} pwd",
    "{} ls -l numbers data /usr/bin/bash",
    "{} wc < /dev/null",
    "{} head -c 100000 /dev/zero | wc -c",
    "{} sh -c 'exit 7'",
    "{} sh -c 'kill -TERM $$'",
    "{} cat no-such-file",
    "{} nice -n 5 nice",
    "ulimit -n 123; {} sh -c 'ulimit -n'",
    "umask 027; {} sh -c umask",
], ids=lambda command: command.replace("{} ", "")[:40])
def test_a_program_does_the_same_on_another_node(cluster, command):
    same(cluster[1], command, 2)


def test_a_database_under_home(cluster):
    outcome(cluster[1], "rm -f db")
    statements = ("create table t(a integer primary key, b text); "
                  "with recursive c(x) as (select 1 union all select x+1 from c where x < 500) "
                  "insert into t select x, hex(x) from c; "
                  "update t set b = b || 'x' where a % 7 = 0; select count(*), sum(length(b)) from t;")
    status, out, err = outcome(cluster[1], there(2) + f'sqlite3 db "{statements}"')
    assert (status, err) == (0, b"")
    assert out == b"500|2855\n"
    # What was written there is read here, and on the third node.
    assert same(cluster[1], '{} sqlite3 db "select sum(a), max(b) from t"', 3)


def test_a_program_that_uses_avx(cluster):
    cluster[1].write("/home/avx.c", """
        #include <stdio.h>
        typedef double v4 __attribute__((vector_size(32)));
        int main(void)
        {
            v4 sum = { 0 }, step = { 1, 2, 3, 4 };
            for (int i = 0; i < 3000000; i++) {
                sum += step * step;
                step += 1e-3;
            }
            printf("%.6f %.6f %.6f %.6f\\n", sum[0], sum[1], sum[2], sum[3]);
            return 0;
        }
    """)
    assert outcome(cluster[1], "gcc -O2 -mavx2 -static avx.c -o avx")[0] == 0
    assert same(cluster[1], "{} ./avx", 2).count(b".") == 4


def test_a_pipeline_over_three_nodes(cluster):
    command = (f"{there(2)} cat data | {there(3)} sort -n | awk 'NR % 100 == 0' | "
               f"{there(2)} gzip -9 | {there(3)} gzip -dc | sha256sum")
    home = outcome(cluster[1], "cat data | sort -n | awk 'NR % 100 == 0' | sha256sum")
    assert outcome(cluster[1], command) == home


def test_a_reader_that_leaves_ends_its_writer(cluster):
    status, out, _ = outcome(cluster[1], f"set -o pipefail; {there(2)} yes | head -n 3")
    assert (status, out) == (128 + 13, b"y\ny\ny\n")


def test_a_hundred_at_a_time(cluster):
    line = ("for i in $(seq 100); do " + there("$((i % 2 + 2))") +
            "sh -c \"echo $i\" > many.$i & done; wait; cat many.* | sort -n | md5sum; rm many.*")
    home = outcome(cluster[1], "seq 100 | md5sum")
    assert outcome(cluster[1], line, timeout=600) == home


def test_line_editing_on_a_terminal(cluster):
    task = cluster[1].terminal.spawn(["holon", "run", "-n", "2", "--", "python3", "-q", "-i"],
                                     pty=[24, 80], cwd="/home", env={"TERM": "xterm"})
    task.wait_output(">>> ", 120)
    # 6*9, then back over the parenthesis and the 9, an 8, and to the end.
    task.input("print(6*9)\x1b[D\x7f8\x1b[C\n")
    # Readline may end its paste mode in between.
    task.wait_output(r"[\r\n]48\r\n", 120)
    task.input("import os; os.isatty(0), os.get_terminal_size()\n")
    # The prompt, too: before it the terminal is not in readline's mode again.
    task.wait_output(r"\(True, os.terminal_size\(columns=80, lines=24\)\)\r\n>>> ", 120)
    task.input("\x04")
    assert task.wait().status == 0


def test_signals_reach_a_program(cluster):
    node = cluster[1]
    for number, key in ((2, "\x03"), (3, "\x1c")):
        task = node.terminal.spawn(["holon", "run", "-n", "2", "--", "cat"], pty=[24, 80])
        task.input("here\n")
        task.wait_output("here\r\nhere\r\n", 120)
        task.input(key)
        assert task.wait().signal == number
    for number in (15, 9):
        task = node.spawn(["holon", "run", "-n", "2", "--", "sleep", "100000"]).wait_started()
        cluster.wait_until(lambda: b"sleep" in node.run(
            ["cat", f"/proc/{task.pid}/cmdline"]).stdout.split(b"\0")[0], "sleep was executed")
        task.signal(number)
        assert task.wait().signal == number


def test_tracers_leave_a_program_as_it_was(cluster):
    node = cluster[1]
    assert outcome(node, f"strace -f -o trace {there(2)} sh -c 'exit 7'")[0] == 7
    task = node.spawn(["holon", "run", "-n", "2", "--", "cat"], open_stdin=True)
    task.input("one\n")
    task.wait_output("one\n", 120)
    for tracer in ("gdb -batch -nx -p {}", "timeout -s INT 2 strace -p {}"):
        node.run(tracer.format(task.pid), check=False, timeout=300)
        task.input("two\n")
        task.wait_output("two\n", 120)
        del task.stdout[:]
    task.close_input()
    assert task.wait().status == 0


def test_a_stopped_program_goes_on(cluster):
    node = cluster[1]
    shell = node.terminal.spawn(["bash", "--norc", "-i"], pty=[24, 80],
                                env={"TERM": "dumb", "PS1": "ready> "})
    shell.wait_output("ready> ")
    # Not cat: what it writes must not be taken for the echo of what is typed.
    shell.input("holon run -n 2 -- sed -u s/o/0/\n")
    shell.input("one\n")
    shell.wait_output("0ne\r\n", 120)
    shell.input("\x1a")
    shell.wait_output("Stopped", 120)
    shell.input("fg\n")
    shell.wait_output("fg\r\nholon run", 120)
    shell.input("two\n")
    shell.wait_output("tw0\r\n", 120)
    shell.input("\x04")
    shell.input("exit 5\n")
    assert shell.wait().status == 5
