#!/usr/bin/python3
"""
Boot a cluster, run something on it, stop it.

  tests/harness/try.py -n 3 -- uname -a            a command on node 1
  tests/harness/try.py -n 3 '1: holon node show' '2: dmesg | tail'
                                                    shell lines, each on its node, * on all
  tests/harness/try.py -n 2 -s script.py            Python with `cluster`, `n1`, `n2`
  tests/harness/try.py -n 2 -i                      the same at a prompt

The consoles are in build/out/try-PID/nodeN/console. The exit status is that of the
last command that failed, or 1 when the verdict finds a complaint on a console.
"""

import argparse
import code
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from harness import cluster as clusters  # noqa: E402
from harness.errors import VerdictError  # noqa: E402


def run(node, command, timeout):
    """Run one command and show it; its exit status."""
    shown = command if isinstance(command, str) else " ".join(command)
    print(f"--- node {node.id}$ {shown}", flush=True)
    result = node.run(command, check=False, timeout=timeout)
    sys.stdout.write(result.out)
    sys.stdout.write(result.err)
    if result.status != 0:
        print(f"--- node {node.id}: {result.describe()}")
    sys.stdout.flush()
    return 0 if result.status == 0 else result.status or 1


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--nodes", type=int, default=2)
    parser.add_argument("--root", action="store_true", help="the Debian root, not the initramfs")
    parser.add_argument("--product", action="store_true", help="the product kernel")
    parser.add_argument("--expect", type=int, help="holon.expect=, 0 for none; default: NODES")
    parser.add_argument("--append", action="append", default=[], help="kernel parameter")
    parser.add_argument("--memory", type=int, help="MiB of each node")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--console", action="store_true", help="show the ends of the consoles")
    parser.add_argument("-s", "--script", help="Python file to run with `cluster`")
    parser.add_argument("-i", "--interactive", action="store_true")
    parser.add_argument("lines", nargs="*", help="'N: shell line' or, after --, a command")
    return parser.parse_args()


def act(args, cluster):
    """Do what was asked for; the exit status."""
    status = 0
    scope = {"cluster": cluster, **{f"n{node.id}": node for node in cluster}}
    if args.lines and not re.match(r"(\d+|\*): ", args.lines[0]):
        status = run(cluster[1], args.lines, args.timeout)
    else:
        for line in args.lines:
            where, _, command = line.partition(": ")
            for node in cluster if where == "*" else [cluster[int(where)]]:
                status = run(node, command, args.timeout) or status
    if args.script:
        exec(compile(Path(args.script).read_text("utf-8"), args.script, "exec"), scope)
    if args.interactive:
        code.interact(banner=f"nodes: {', '.join(scope)}; consoles in {cluster.folder}",
                      local=scope, exitmsg="")
    return status


def main():
    args = parse_arguments()
    folder = clusters.scratch_folder("try")
    with clusters.Cluster(args.nodes, folder=folder, image="root" if args.root else "initramfs",
                          kernel="product" if args.product else "debug", expect=args.expect,
                          append=args.append, memory=args.memory, cpus=args.cpus) as cluster:
        cluster.start()
        status = 1
        try:
            status = act(args, cluster)
            cluster.verdict()
        except VerdictError as error:
            print(f"--- verdict\n{error}")
            status = status or 1
        finally:
            if args.console:
                print(cluster.tail(60))
            print(f"--- consoles: {folder}/node*/console")
    return status


if __name__ == "__main__":
    sys.exit(main())
