"""Programs of kernel/tools/testing/selftests/holon: built, brought to the nodes, judged."""

import functools
import os
import shutil
import subprocess
import tempfile

from harness import config

SOURCES = config.REPO / "kernel/tools/testing/selftests/holon"


@functools.cache
def build(name):
    """Build program @name, from name.c and name_*.c, once; the file, which others may build."""
    binary = config.BUILD / "tests" / name
    binary.parent.mkdir(parents=True, exist_ok=True)
    # Whoever copies it meanwhile has to find all of it.
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        made = os.path.join(folder, name)
        subprocess.run(["gcc", "-O2", "-Wall", "-static", "-pthread", "-o", made,
                        SOURCES / f"{name}.c", *sorted(SOURCES.glob(f"{name}_*.c")),
                        "-lm", "-lutil"], check=True)
        os.replace(made, binary)
    return binary


def place(cluster, name):
    """Put program @name into /home, where all nodes see it; its path there."""
    placed = cluster.home / name
    if not placed.exists():
        shutil.copy(build(name), placed)
    cluster.wait_view({node.id for node in cluster})
    return f"/home/{name}"


def check(result):
    """All that a program has planned is ok."""
    assert result.status == 0, result.out + result.err
    plan = int(result.out.split("1..")[1].split()[0])
    assert plan > 0 and result.out.count("\nok ") == plan, result.out
