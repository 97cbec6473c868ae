"""The print layer of the holon command: JSON is valid whatever the data, text is fit for a terminal."""

import json
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
TOP = HERE.parent.parent
TABLE, RECORD, EVENT = 0, 1, 2


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    program = tmp_path_factory.mktemp("output") / "output"
    subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror",
                    f"-I{TOP}/userland/holon", "-o", program, HERE / "output_main.c",
                    TOP / "userland/holon/output.c"], check=True)
    return program


def run(driver, script, *options):
    return subprocess.run([driver, *options], input="\n".join(script) + "\n", text=True,
                          stdout=subprocess.PIPE, check=True).stdout


HOSTILE = {
    r'quote " and \x5c': 'quote " and \\',
    r"\x1b[31mred\x07": "\x1b[31mred\x07",
    r"tab\x09line\x0aend": "tab\tline\nend",
    r"\xc3\xa4 \xf0\x9f\x98\x80": "ä 😀",
    r"\xff\xc0\x80 \xed\xa0\x80": "\ufffd\ufffd\ufffd \ufffd\ufffd\ufffd",
    r"\xe2\x82": "\ufffd\ufffd",
    r"\xc2\x9b31m": "\x9b31m",
    "": "",
}


@pytest.mark.parametrize("given", HOSTILE)
def test_json_of_any_bytes_is_valid(driver, given):
    out = run(driver, [f"begin {RECORD}", "record", f"string key {given}", "end"], "-j")
    assert json.loads(out) == {"key": HOSTILE[given]}


@pytest.mark.parametrize("given", HOSTILE)
def test_text_has_no_control_characters(driver, given):
    out = run(driver, [f"begin {RECORD}", "record", f"string key {given}", "end"])
    assert out.endswith("\n") and out.count("\n") == 1
    assert not any(ord(c) < 32 or 0x7f <= ord(c) < 0xa0 for c in out[:-1])


RECORDS = ["record", "number node 1", "flag self 1", "string why", "ids members 1,2,3",
           "detail", "signed offset -5",
           "record", "number node 18446744073709551615", "flag self 0", "string why x y",
           "ids members", "detail", "signed offset 7", "end"]


def test_a_table_in_json_is_an_array_with_types(driver):
    assert json.loads(run(driver, [f"begin {TABLE}", *RECORDS], "-j")) == [
        {"node": 1, "self": True, "members": [1, 2, 3], "offset": -5},
        {"node": 2**64 - 1, "self": False, "why": "x y", "members": [], "offset": 7}]


def test_a_table_in_text_is_aligned(driver):
    assert run(driver, [f"begin {TABLE}", *RECORDS]) == (
        "NODE                  SELF  WHY  MEMBERS\n"
        "1                     yes   -    1,2,3\n"
        "18446744073709551615  -     x y  -\n")


def test_an_empty_table(driver):
    assert run(driver, [f"begin {TABLE}", "end"], "-j") == "[]\n"
    assert run(driver, [f"begin {TABLE}", "end"]) == ""


def test_events_are_a_line_each(driver):
    script = [f"begin {EVENT}", "record", "string event view", "number epoch 3", "end",
              "record", "string event view", "number epoch 4", "end"]
    assert run(driver, script) == "view epoch 3\nview epoch 4\n"
    assert [json.loads(line)["epoch"] for line in run(driver, script, "-j").splitlines()] == [3, 4]


def test_a_group_of_tables_is_one_object(driver):
    script = ["group", "next a", f"begin {TABLE}", "record", "number x 1", "end",
              "next b", f"begin {TABLE}", "end", "close"]
    assert json.loads(run(driver, script, "-j")) == {"a": [{"x": 1}], "b": []}
    assert run(driver, script) == "X\n1\n\n"


def test_a_full_disk_is_an_error(driver):
    with open("/dev/full", "w", encoding="ascii") as full:
        result = subprocess.run([driver], input=f"begin {RECORD}\nrecord\nnumber x 1\nend\n",
                                text=True, stdout=full, stderr=subprocess.DEVNULL, check=False)
    assert result.returncode == 1
