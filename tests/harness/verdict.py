"""
What no test may leave behind: complaints on a console, a tainted kernel, leaks.

A verdict comes from positive evidence alone: every node that should live
answers, and says that it is clean.
"""

import re

from .errors import VerdictError

COMPLAINT = re.compile(
    r"BUG: |BUG at|WARNING: |Oops[: ]|Kernel panic|Call Trace:|general protection fault"
    r"|INFO: (possible|task|rcu|inconsistent|lockdep|trying|HARDIRQ|SOFTIRQ|suspicious)"
    r"|possible (circular|recursive|irq|deadlock)|suspicious RCU usage|DEBUG_LOCKS_WARN_ON"
    r"|lockdep is turned off|MAX_LOCK.* too low|KASAN: |KFENCE: |KCSAN: |UBSAN: |ODEBUG: |kmemleak: \d"
    r"|unreferenced object|refcount_t: |list_(add|del) corruption|soft lockup|hard LOCKUP"
    r"|blocked for more than|workqueue lockup|sleeping function called from invalid"
    r"|scheduling while atomic|bad: scheduling|Out of memory: Killed|unable to handle"
    r"|leaked lock|held lock freed|returned .* with locks|page allocation failure")


def complaints(node, since=0, allow=()):
    """Console lines of @node after mark @since that a test must not cause."""
    return [line for _, line in node.console.lines[since:]
            if COMPLAINT.search(line) and not any(re.search(p, line) for p in allow)]


def taint(node):
    return int(node.read("/proc/sys/kernel/tainted"))


def leaks(node):
    """What kmemleak finds after two scans; the node must be booted with kmemleak=on."""
    # An object is reported only once it is some seconds old and was seen twice.
    node.run("echo scan > /sys/kernel/debug/kmemleak", timeout=300)
    node.run("sleep 6; echo scan > /sys/kernel/debug/kmemleak", timeout=300)
    return node.read("/sys/kernel/debug/kmemleak")


def check(nodes, marks, allow=(), allow_taint=False, allow_dead=()):
    """Raise VerdictError with all that is wrong on @nodes since @marks (node id -> mark)."""
    wrong = []
    for node in nodes:
        for line in complaints(node, marks.get(node.id, 0), allow):
            wrong.append(f"{node.name}: {line}")
        if node.id in allow_dead:
            continue
        if not node.running:
            wrong.append(f"{node.name}: QEMU is gone, and the test did not kill it")
        elif node.console.panicked:
            wrong.append(f"{node.name}: panicked")
        elif not node.healthy:
            wrong.append(f"{node.name}: left frozen")
        else:
            try:
                bits = taint(node)
            except Exception as error:  # pylint: disable=broad-except
                wrong.append(f"{node.name}: does not answer: {error}")
                continue
            if bits and not allow_taint:
                wrong.append(f"{node.name}: kernel tainted: {bits:#x}")
    if wrong:
        raise VerdictError("\n".join(wrong))
