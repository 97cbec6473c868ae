"""What goes wrong in a test, by name."""


class HarnessError(Exception):
    """The harness itself, or its use, is at fault."""


class NodeGone(Exception):
    """The node died, was killed or started again under a command."""


class NodePanicked(NodeGone):
    """The kernel of the node panicked."""


class TimedOut(Exception):
    """What was waited for did not happen within its limit."""


class CommandFailed(Exception):
    """A command on a node ended in another way than the test wants."""

    def __init__(self, node, command, result):
        self.result = result
        # A summary of a run shows the first line alone: what was said last belongs to it.
        said = result.err.strip().rpartition("\n")[2]
        super().__init__(
            f"node {node}: {command!r} ended with {result.describe()}"
            f"{': ' + said if said else ''}\n"
            f"--- stdout\n{result.out[-4000:]}\n--- stderr\n{result.err[-4000:]}")


class VerdictError(Exception):
    """A console or a kernel shows something that no test may leave behind."""
