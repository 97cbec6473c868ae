"""What nodes say about their RPC layer, for the tests."""

DEBUG = "/sys/kernel/debug/holon"


def pairs(text):
    return {name: int(value) for name, value in (line.split() for line in text.splitlines())}


def rpc(node):
    """All counters of @node: {"stress_inline.calls": 12, "rpc.calls-open": 0, ...}"""
    return pairs(node.out(f"cat {DEBUG}/rpc"))


def stress(node):
    """What the callers of the stress driver have seen."""
    return pairs(node.out(f"cat {DEBUG}/stress"))


def total(counters, name):
    """The sum over all types of calls."""
    return sum(value for key, value in counters.items()
               if key.endswith("." + name) and not key.startswith(("rpc.", "transport.")))


def types(counters):
    return {key.split(".")[0] for key in counters} - {"rpc", "transport"}


def members(node):
    return node.out("cat /sys/kernel/holon/members")


def wait_members(cluster, text, nodes=None):
    """Until the view of @nodes (all by default) is @text, as "1-3", and at rest."""
    for node in nodes or list(cluster):
        cluster.wait_until(lambda node=node: members(node) == text
                           and node.out("cat /sys/kernel/holon/steady") == "1",
                           f"{node.name} sees members {text}", timeout=120)


def assert_adds_up(node):
    """No call is open, and each has ended exactly once."""
    counters = rpc(node)
    assert counters["rpc.calls-open"] == 0
    for name in types(counters):
        ended = sum(counters.get(f"{name}.{end}", 0)
                    for end in ("replies", "errors", "hostdown", "refused"))
        assert ended == counters.get(f"{name}.calls", 0), name
