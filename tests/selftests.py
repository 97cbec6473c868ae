"""Programs of kernel/tools/testing/selftests/holon: built, brought to the nodes, judged."""

import shutil
import subprocess

from harness import config

SOURCES = config.REPO / "kernel/tools/testing/selftests/holon"


def place(cluster, name):
    """
    Build program @name, from name.c and name_*.c, and put it into /home, where all nodes see
    it; its path there.
    """
    binary = config.BUILD / "tests" / name
    binary.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-O2", "-Wall", "-static", "-pthread", "-o", binary, SOURCES / f"{name}.c",
                    *sorted(SOURCES.glob(f"{name}_*.c")), "-lm", "-lutil"], check=True)
    shutil.copy(binary, cluster.home / name)
    cluster.wait_view({node.id for node in cluster})
    return f"/home/{name}"


def check(result):
    """All that a program has planned is ok."""
    assert result.status == 0, result.out + result.err
    plan = int(result.out.split("1..")[1].split()[0])
    assert plan > 0 and result.out.count("\nok ") == plan, result.out
