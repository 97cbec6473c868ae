"""What the measurements share: the report, samples in turns, calls and bulk between nodes."""

import contextlib
import json
import signal
import sys

from harness import config
from harness.errors import HarnessError, NodeGone, TimedOut

OUT = config.BUILD / "bench"
LOGS = OUT / "logs"
DEBUG = "/sys/kernel/debug/holon"

# Samples of one turn, and turns: a pair is interleaved, so that both halves meet
# the same load of the host.
SAMPLES = 50
TURNS = 10


# --- the report ---------------------------------------------------------------

def at_most(factor):
    return f"at most {factor:g} x", lambda value, ratio: ratio <= factor


def at_least(factor):
    return f"at least {factor:g} x", lambda value, ratio: ratio >= factor


def within(percent):
    return f"within {percent:g} %", lambda value, ratio: abs(ratio - 1) <= percent / 100


def value_at_most(limit, unit):
    return f"at most {limit:g} {unit}", lambda value, ratio: value <= limit


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


class Report:
    """The rows: figure, reference, bar. Written after each measurement."""

    def __init__(self):
        self.rows = []
        self.failures = []
        self.facts = {}

    def add(self, what, value, unit, reference="", reference_value=None, *, bar=None,
            samples=None, note=""):
        ratio = value / reference_value if reference_value else None
        text, met = bar or ("", None)
        row = {"what": what, "value": value, "unit": unit, "reference": reference,
               "reference_value": reference_value, "ratio": ratio, "bar": text,
               "met": bool(met(value, ratio)) if met else None, "samples": samples, "note": note}
        self.rows.append(row)
        print(f"  {what}: {number(value)} {unit}" +
              (f"; {reference}: {number(reference_value)}" if reference else "") +
              (f"; ratio {ratio:.3f}" if ratio is not None else "") +
              (f" ({text}: {'met' if row['met'] else 'MISSED'})" if met else "") +
              (f" [{note}]" if note else ""), flush=True)

    def failed(self, name, error):
        self.failures.append({"measurement": name, "error": f"{type(error).__name__}: {error}"})
        print(f"  FAILED {name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)

    def write(self):
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / "bench.json").write_text(json.dumps(
            {"facts": self.facts, "rows": self.rows, "failures": self.failures}, indent=1) + "\n")
        lines = ["| what | measured | reference | measured | ratio | bar | met | samples |",
                 "| --- | ---: | --- | ---: | ---: | --- | --- | ---: |"]
        for r in self.rows:
            ratio = "" if r["ratio"] is None else f"{r['ratio']:.3f}"
            met = {None: "", True: "yes", False: "**no**"}[r["met"]]
            other = f"{number(r['reference_value'])} {r['unit']}" if r["reference"] else ""
            lines.append(f"| {r['what']} | {number(r['value'])} {r['unit']} | {r['reference']} | "
                         f"{other} | {ratio} | {r['bar']} | {met} | {r['samples'] or ''} |")
        lines += [""] + [f"- {r['what']}: {r['note']}" for r in self.rows if r["note"]]
        for failure in self.failures:
            first, *rest = failure["error"].strip().splitlines()
            last = f" ... {rest[-1][:200]}" if rest else ""
            lines.append(f"- **not (all) measured**: {failure['measurement']}: {first[:200]}{last}")
        lines += [f"- {name}: {value}" for name, value in self.facts.items()]
        (OUT / "bench.md").write_text("\n".join(lines) + "\n")


# --- taking samples -----------------------------------------------------------

@contextlib.contextmanager
def limited(seconds, what):
    """An error in the middle of whatever runs then."""
    def late(signum, frame):
        raise TimedOut(f"{what} took longer than {config.limit(seconds):g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, config.limit(seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def numbers(text, count=None):
    """The numbers of @text, which has nothing else in it; @count of them."""
    found = [float(word) for word in text.split()]
    if not found or count and len(found) != count:
        raise HarnessError(f"{len(found)} numbers instead of {count or 'some'}: {text[:300]!r}")
    return found


def interleaved(*measures, turns=TURNS):
    """Run the measures in turn; all samples of each."""
    samples = [[] for _ in measures]
    for _ in range(turns):
        for collected, measure in zip(samples, measures):
            collected += measure()
    return samples


def stop(task):
    """Kill a task of a node in a cleanup: the error that led to it counts more."""
    with contextlib.suppress(NodeGone, OSError, TimedOut):
        if task.running:
            task.kill()
        task.wait()


# --- messages between kernels -------------------------------------------------

def echo(node, to, request=8, reply=0, count=SAMPLES):
    """Round trips of the ECHO call from @node, in ns; by default of an empty one."""
    node.run(f"echo '{to.id} {request} {reply} {count}' >{DEBUG}/echo", timeout=300)
    return numbers(node.out(["cat", f"{DEBUG}/echo"]), count)


def sink(node, to, chunk, count):
    """Bytes per second of one-way BULK messages, until the last one is handled."""
    node.run(f"echo '{to.id} {chunk} {count}' >{DEBUG}/sink", timeout=300)
    moved, took = numbers(node.out(["cat", f"{DEBUG}/sink"]), 2)
    return [moved * 1e9 / took]
