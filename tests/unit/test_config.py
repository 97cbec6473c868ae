"""`holon node check`: mistakes of /etc/holon/node.conf are found and named."""

import os
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).parent.parent.parent
HOLON = pathlib.Path(os.environ.get("HOLON_BUILD", TOP / "build")) / "userland/holon/holon"
RIGHT = "# a comment\n\nnode=1\ncluster=test\n"


@pytest.fixture
def machine(tmp_path):
    """A root directory with a key."""
    (tmp_path / "etc/holon").mkdir(parents=True)
    subprocess.run([HOLON, "cluster", "key", "generate", "file",
                    tmp_path / "etc/holon/cluster.key"], check=True)
    return tmp_path


def check(machine, text):
    (machine / "etc/holon/node.conf").write_text(text)
    return subprocess.run([HOLON, "node", "check", "root", machine], text=True,
                          capture_output=True, check=False)


@pytest.mark.parametrize("more", [
    "", "expect=3\n", "addr=10.0.0.1\n", "addr=10.0.0.1/24\n", "if=eth0\n", "port=4000\n",
    "peers=10.0.0.2,10.0.0.3:4000\n", "shared=\"/:identical,/home:close-to-open\"\n",
    "  fd_ms = 5000  \n", "private=/etc,/var\n", "expect=\n", "quorum=one\nfence=/sbin/off",
])
def test_what_is_right(machine, more):
    result = check(machine, RIGHT + more)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("more, said", [
    ("nod=2", 'line 5: there is no setting "nod"'),
    ("node=2", "line 5: node= stands in line 3 already"),
    ("expect=0", "line 5: expect=0 is wrong: it must be a number from 1 to 255"),
    ("addr=10.0.0", "line 5: addr=10.0.0 is wrong: it must be an IPv4 address"),
    ("addr=10.0.0.1/33", "addr=10.0.0.1/33 is wrong"),
    ("peers=10.0.0.1,", "peers=10.0.0.1, is wrong"),
    ("peers=10.0.0.1:0", "peers=10.0.0.1:0 is wrong"),
    ("port=65536", "port=65536 is wrong"),
    ("if=a/b", "if=a/b is wrong"),
    ("insecure=yes", "insecure=yes is wrong: it must be 0 or 1"),
    ("quorum=none", "quorum=none is wrong"),
    ("key=cluster.key", "key=cluster.key is wrong"),
    ("what is this", "line 5 is not NAME=VALUE"),
    ("peers=" + 5000 * "1", "line 5 is too long"),
])
def test_what_is_wrong_is_named_with_its_line(machine, more, said):
    result = check(machine, RIGHT + more + "\n")
    assert result.returncode == 1
    assert said in result.stderr


@pytest.mark.parametrize("text, said", [
    ("cluster=test\n", "gives no node="),
    ("node=\ncluster=test\n", "gives no node="),
    ("node=0\ncluster=test\n", "node=0 is wrong: it must be a number from 1 to 255"),
    ("node=256\ncluster=test\n", "node=256 is wrong"),
    ("node=1\n", "gives no cluster="),
    ("node=1\ncluster=a b\n", "cluster=a b is wrong"),
    (f"node=1\ncluster={32 * 'x'}\n", "is wrong: it must be up to 31"),
])
def test_a_node_has_an_id_and_a_cluster(machine, text, said):
    result = check(machine, text)
    assert result.returncode == 1
    assert said in result.stderr


def test_a_key_is_needed_and_is_secret(machine):
    key = machine / "etc/holon/cluster.key"
    key.chmod(0o644)
    assert "can be read by" in check(machine, RIGHT).stderr
    key.chmod(0o600)
    key.write_text("abc\n")
    assert "line 1 is not a key of 64 hexadecimal digits" in check(machine, RIGHT).stderr
    key.unlink()
    assert f"cannot read {key}" in check(machine, RIGHT).stderr


def test_no_file(tmp_path):
    result = subprocess.run([HOLON, "node", "check", "file", tmp_path / "none"], text=True,
                            capture_output=True, check=False)
    assert result.returncode == 1
    assert "cannot read" in result.stderr
