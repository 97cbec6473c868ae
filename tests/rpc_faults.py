"""Messages between nodes that fail or are late, one at a time; for the tests."""

from rpc_counters import DEBUG

# Of holon_rpc_types.h.
IMAGE, EXEC, FORWARD, PAGES, MEMORY = "task_image", "task_exec", "task_forward", "task_pages", "task_memory"
IDS = {IMAGE: 128, EXEC: 129, FORWARD: 133, PAGES: 138, MEMORY: 141}


def fault(node, kind, what, after=0, **values):
    """
    Of the messages @what that come to @node one meets the fault, "fail" or "delay" with
    delay_ms=, behind @after others.
    """
    values = {"type": IDS[what], "space": after + 1, "times": 1, **values, "probability": 100}
    for name, value in values.items():
        node.write(f"{DEBUG}/rpc_{kind}/{name}", str(value))


def wait_late(cluster, node):
    """Until the message has come that is late."""
    cluster.wait_until(lambda: int(node.read(f"{DEBUG}/rpc_delay/times")) == 0, "it is late")


def no_faults(cluster):
    for node in cluster:
        for kind in ("fail", "delay"):
            node.write(f"{DEBUG}/rpc_{kind}/probability", "0")
