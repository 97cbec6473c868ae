"""The tour: what a first visitor would try, shown with its output, and asserted."""

from .errors import CommandFailed, HarnessError, NodeGone, TimedOut


class Tour:
    """Shows each command as a shell would, and stops at the first surprise."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.steps = 0

    def show(self, text, command, wanted=None, node=1):
        """Run @command in the shell of @node; its output must satisfy @wanted."""
        self.steps += 1
        print(f"\n# {self.steps}. {text}".rstrip() + f"\nnode{node}:/home$ {command}", flush=True)
        result = self.cluster[node].run(["bash", "-c", command], cwd="/home", timeout=300)
        print((result.out + result.err).rstrip("\n"), flush=True)
        if wanted and not wanted(result.out):
            raise HarnessError(f"tour: step {self.steps} shows something else than it should")
        return result.out


def _tour(tour):
    cluster = tour.cluster
    last = max(cluster.nodes)
    other = 2 if last > 1 else 1

    tour.show("You are on node 1 of an ordinary Debian.", "uname -nr",
              lambda out: out.startswith("node1 ") and "-holon" in out)
    tour.show("The cluster, as this node sees it.", "holon node show",
              lambda out: out.count("member") >= last)
    for ident in cluster.nodes:
        tour.show("Every node sees the same." if ident == 1 else "And from here.",
                  "holon cluster show", lambda out: "epoch" in out, node=ident)
    tour.show("An ordinary program is started on another node.",
              f"holon run -n {other} -- sleep 1000 < /dev/null > /dev/null 2>&1 & echo $! > sleeper")
    tour.show("There it runs,", "until pgrep -a sleep; do :; done",
              lambda out: "sleep 1000" in out, node=other)
    if last > other:
        tour.show("It is moved to another node while it runs,",
                  f"holon task migrate pid $(cat sleeper) to {last}")
        tour.show("and goes on there.", "until pgrep -a sleep; do :; done",
                  lambda out: "sleep 1000" in out, node=last)
    tour.show("and here is its process: a signal reaches it.",
              "cat /proc/$(cat sleeper)/comm; kill $(cat sleeper)", lambda out: out == "sleep\n")
    tour.show("", "while pgrep sleep; do :; done; echo gone",
              lambda out: out.endswith("gone\n"), node=last)
    tour.show("It reads what this shell reads, and writes where this shell writes.",
              "seq 200000 > numbers; "
              f"holon run -n {other} -- gzip -9 < numbers > numbers.gz; "
              "zcat numbers.gz | cmp - numbers && ls -s numbers numbers.gz",
              lambda out: "numbers.gz" in out)
    tour.show("A pipeline over the nodes.",
              f"holon run -n {last} -- seq 1 1000 | holon run -n {other} -- sort -rn | head -3",
              lambda out: out.split() == ["1000", "999", "998"])
    tour.show("Its exit status is the shell's.",
              f"holon run -n {other} -- sh -c 'exit 7'; echo $?", lambda out: out == "7\n")
    tour.show("What is wrong is said as a shell says it.",
              "holon run -n 200 -- true; echo $?; "
              f"holon run -n {other} -- no-such-command; echo $?",
              lambda out: out == "125\n127\n")


def run(cluster):
    """The exit status of the tour: 0 when everything was as it should be."""
    tour = Tour(cluster)
    try:
        _tour(tour)
        cluster.verdict()
    except (CommandFailed, HarnessError, NodeGone, TimedOut) as error:
        print(f"\ntour: {error}", flush=True)
        return 1
    print(f"\ntour: {tour.steps} steps, all as they should be", flush=True)
    return 0
