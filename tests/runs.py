"""What the tests of holon run share."""

import shlex

from harness.errors import TimedOut
from rpc_counters import DEBUG, rpc


# Says its number, and then what it is told.
COUNTER = "bash -c 'echo pid $$; while read line; do echo got-$line-$$; done'"


def there(node):
    """The words that put a command on @node."""
    return f"holon run -n {node} -- "


def outcome(node, command, timeout=300, **options):
    """(status, stdout, stderr) of a line of bash in /home."""
    result = node.run(["bash", "-c", command], check=False, timeout=timeout,
                      **{"cwd": "/home", **options})
    assert not result.timed_out, f"{command}: did not end; {result}"
    status = 128 + result.signal if result.signal else result.status
    return status, result.stdout, result.stderr


def pid_of(task):
    """Of a program that says it first."""
    return int(task.wait_output(r"pid (\d+)\n").group(1))


def answers(task, text):
    """The COUNTER @task is there, and does what it does."""
    task.input(f"{text}\n".encode())
    task.wait_output(f"got-{text}-")


def migrate(node, pid, target, **options):
    return node.run(f"holon task migrate pid {pid} to {target}", timeout=120, **options)


def same(node, template, target, **options):
    """
    Run @template, in which {} stands before a program, at home and on @target; both
    must end and write alike. The standard output.
    """
    home = outcome(node, template.replace("{}", ""), **options)
    away = outcome(node, template.replace("{}", there(target)), **options)
    assert away == home, f"{template}: at home {home}, on node {target} {away}"
    return home[1]


def make_files(node):
    """Files to work on, in /home: data (1 MB of text), numbers, words.json, hello.c."""
    node.run(["bash", "-c", r"""
        set -e
        cd /home
        [ ! -e data ] || exit 0
        seq 1 40000 > numbers
        awk 'BEGIN { srand(1); for (i = 0; i < 60000; i++) printf "%d line %d\n", rand() * 1e9, i }' > data
        python3 -c 'import json; print(json.dumps([{"n": n, "w": str(n) * 3} for n in range(2000)]))' > words.json
        cat > hello.c <<'END'
struct point { int x, y; };
static int distance(struct point a, struct point b) { return (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y); }
int main(int argc, char **argv)
{
	struct point a = { argc, 2 }, b = { 7, 11 };
	int i, sum = 0;
	for (i = 0; i < 100; i++)
		sum += distance(a, b) * i;
	return sum & 0x7f;
}
END
    """], timeout=300)


def usage(node):
    """
    What a leak would make grow: {name: number}. With KASAN nothing can be said: what is freed
    waits in its quarantine.
    """
    if node.console.search("kasan: KernelAddressSanitizer initialized"):
        return {}
    # What waits for a grace period or a worker is no leak: let a few rounds pass. The page
    # cache stays: to read a program again an emulated node unpacks the whole blocks of its
    # root that hold it, for seconds, or on a busy machine for so long that it is taken for dead.
    node.write("/proc/sys/vm/drop_caches", "2")
    node.run("for i in 1 2 3; do echo 1 > /proc/sys/vm/compact_memory; done", check=False)
    slabs = {}
    for line in node.read("/proc/slabinfo").splitlines()[2:]:
        name, active = line.split()[:2]
        slabs[name] = int(active)
    wanted = ("task_struct", "pid", "signal_cache", "sighand_cache", "files_cache", "fs_cache",
              "filp", "mm_struct", "vm_area_struct", "cred_jar", "pid_2", "sock_inode_cache")
    found = {name: slabs[name] for name in wanted if name in slabs}
    found.update({name: count for name, count in slabs.items() if name.startswith("holon")})
    found["tasks"] = int(node.out("ls -d /proc/[0-9]* | wc -l"))
    found["files"] = int(node.read("/proc/sys/fs/file-nr").split()[0])
    return found


def grown(before, after, allowed):
    """Entries of @after that are more than @allowed above @before."""
    return {name: (before.get(name, 0), count) for name, count in after.items()
            if count > before.get(name, 0) + allowed}


def activity(nodes):
    """What is open on each of them, what is away from home, and where that sleeps."""
    text = ""
    for node in nodes:
        text += f"\n{node.name}:\n" + node.run(f"""
            cat {DEBUG}/open
            holon task show
            for pid in $(holon task show | awk '$1 + 0 {{ print $1 }}') \
                       $(pgrep -P "$(pgrep -d, holon-home)"); do
                for task in $(ls -d /proc/$pid/task/*); do
                    echo $task: $(cat $task/comm); cat $task/wchan $task/syscall $task/stack
                done
            done
            ps -eo pid,ppid,s,wchan:30,args | grep -v ' [[]'
        """, check=False).out
    return text


def nothing_left(cluster, before):
    """Each node of @before, {id: usage()}, has as much as then, and no open call."""
    nodes = [node for node in cluster if node.id in before]
    for node in nodes:
        left = {}

        def clean(node=node, left=left):
            counters = rpc(node)
            left.clear()
            left.update(grown(before[node.id], usage(node), 60))
            if counters["rpc.calls-open"]:
                left["calls"] = counters["rpc.calls-open"]
            return not left
        try:
            cluster.wait_until(clean, f"nothing is left on node {node.id}", timeout=120)
        except TimedOut as error:
            raise TimedOut(f"{error}; left (before, now): {left}{activity(nodes)}") from None


def quote(words):
    return " ".join(shlex.quote(word) for word in words)
