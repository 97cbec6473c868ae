"""Programs on another node use what only their home has: /tmp, its devices, its directories."""

import pytest

from runs import make_files, same

pytestmark = pytest.mark.cluster(nodes=2, image="root")

TEXT = r"""
import hashlib, json, os, sys, tempfile
words = sys.stdin.read().split()
with tempfile.NamedTemporaryFile("w+") as f:
    json.dump(words, f)
    f.seek(0)
    assert json.load(f) == words and os.path.getsize(f.name) > 100
    print(hashlib.sha256(open(f.name, "rb").read()).hexdigest())
print(os.getcwd(), sys.stdin.isatty(), os.path.exists(f.name))
"""


@pytest.fixture(autouse=True)
def files(cluster):
    cluster.wait_view({1, 2})
    make_files(cluster[1])
    cluster[1].write("/home/text.py", TEXT)


@pytest.mark.parametrize("command", [
    "{} sort -S 100K --parallel=1 data | md5sum; ls /tmp | grep sort",
    "{} python3 text.py < numbers",
    "{} tar -cf - numbers data | {} tar -tvf -",
    "{} diff data numbers | tail -n 3",
    "cd /tmp; {} pwd; {} cp /home/numbers here; md5sum here; {} rm here; ls here",
    "{} find /usr/share/perl -name '*.pm' | sort | md5sum",
    "{} $(gcc -print-prog-name=cc1) -quiet hello.c -o /tmp/h.s; {} as /tmp/h.s -o /tmp/h.o;"
    " {} ld -r /tmp/h.o -o h2.o; md5sum h2.o; rm /tmp/h.s /tmp/h.o",
    "echo '2^2000; sqrt(2)' | {} bc -l",
    "{} file -b /usr/bin/bash /etc/passwd",
    "{} dd if=data of=/tmp/copy bs=3M status=none; cmp data /tmp/copy && rm /tmp/copy",
    "{} sh -c 'echo to a name > /dev/stdout; echo error > /dev/stderr'",
    "{} tail -c 100 numbers > /dev/null; {} stat -c '%n %a %U %s' /tmp /home /usr /dev/null",
], ids=lambda command: command.replace("{} ", "")[:30])
def test_same_output(cluster, command):
    same(cluster[1], command, 2, timeout=600)
