"""Wrong use of the holon command: exit codes and sentences, on any kernel."""

import os
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).parent.parent.parent
HOLON = pathlib.Path(os.environ.get("HOLON_BUILD", TOP / "build")) / "userland/holon/holon"


def holon(*words):
    return subprocess.run([HOLON, *words], text=True, capture_output=True, check=False)


@pytest.mark.parametrize("words", [
    [], ["-x"], ["nosuch"], ["nod"], ["node", "frob"], ["node", "show", "id"],
    ["node", "show", "id", "0"], ["node", "show", "id", "256"], ["node", "show", "id", "2x"],
    ["node", "show", "id", "-1"], ["node", "show", "id", "1", "id", "2"], ["node", "set"],
    ["node", "show", "what", "1"], ["cluster", "create", "name"], ["monitor", "tasks"],
    ["cluster", "leave", "force", "force"], ["stats", "all"],
])
def test_wrong_use_is_exit_2_and_a_sentence(words):
    result = holon(*words)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("holon: ")
    assert "try `holon help`" in result.stderr


@pytest.mark.parametrize("words", [
    ["run"], ["run", "-n"], ["run", "-n", "0", "true"], ["run", "-n", "256", "true"],
    ["run", "-n", "two", "true"], ["run", "--node=", "true"], ["run", "--what", "true"],
    ["run", "-n", "2"], ["run", "--"],
])
def test_wrong_use_of_run_is_exit_125(words):
    result = holon(*words)
    assert result.returncode == 125
    assert result.stdout == ""
    assert result.stderr.startswith("holon: ")


@pytest.mark.parametrize("words", [
    ["help"], ["--help"], ["-h"], ["node", "help"], ["node", "show", "help"], ["run", "--help"],
    ["stats", "help"], ["monitor", "help"], ["-V"], ["--version"], ["-j", "help"],
])
def test_help_is_exit_0(words):
    result = holon(*words)
    assert result.returncode == 0
    assert result.stderr == ""
    assert "holon" in result.stdout


def test_help_names_every_verb():
    text = holon("help").stdout
    for line in ("cluster show", "cluster create", "cluster leave", "node show", "node set",
                 "node join", "node leave", "run", "stats show", "stats rpc", "monitor"):
        assert f"holon {line}" in text


@pytest.mark.skipif(os.uname().release.endswith("-holon"), reason="needs another kernel")
@pytest.mark.parametrize("words,status", [
    (["node", "show"], 1), (["-j", "cluster"], 1), (["monitor"], 1), (["run", "true"], 125),
])
def test_a_kernel_without_holon_is_named(words, status):
    result = holon(*words)
    assert result.returncode == status
    assert "no Holon" in result.stderr
