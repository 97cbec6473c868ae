"""
The same move by CRIU: what a process consists of is dumped and restored at the other node.

Its memory goes straight into the page server there, the rest as one tar archive. Each runs in
a process namespace of its own, for CRIU gives a process its old number, and those of a node are
above what a namespace hands out.
"""

from measure import numbers

PAGES, REST = 7001, 7002
FOLDER = "/tmp/criu"
# Above the shell that dumps, and free where it is restored.
NUMBER = 500

RECEIVE = f"""
rm -rf {FOLDER}; mkdir {FOLDER}; cd {FOLDER}
criu page-server -D {FOLDER} --port {PAGES} -d >/dev/null 2>&1
busybox nc -l -p {REST} </dev/null >rest.tar
"""

DUMP = f"""
rm -rf {FOLDER}; mkdir {FOLDER}
echo {NUMBER} >/proc/sys/kernel/ns_last_pid
setsid %(program)s %(kib)d </dev/zero >/dev/null 2>&1 &
pid=$!
until [ "$(awk '/^RssAnon/ {{ print $2 }}' /proc/$pid/status)" -ge %(kib)d ]; do sleep 0.05; done
began=$(date +%%s%%N)
criu dump -t $pid -D {FOLDER} -o log -v1 --page-server --address %(address)s --port {PAGES} ||
	{{ tail {FOLDER}/log >&2; exit 1; }}
tar -C {FOLDER} -c . >/dev/tcp/%(address)s/{REST}
echo $(($(date +%%s%%N) - began))
"""

RESTORE = f"""
cd {FOLDER}
began=$(date +%s%N)
tar -xf rest.tar
criu restore -d -D {FOLDER} -o log -v1 || {{ tail {FOLDER}/log >&2; exit 1; }}
echo $(($(date +%s%N) - began))
kill -KILL $(pgrep -x mover)
"""


def namespace(script):
    return ["unshare", "-pf", "--mount-proc", "bash", "-c", script]


def listens(node, port):
    return node.run(f"ss -Hltn 'sport = :{port}' | grep -q .", check=False).status == 0


def move(one, two, program, kib):
    """ns from the dump of @program at @one until it runs at @two, without what lies between."""
    receiver = two.spawn(RECEIVE, timeout=300)
    for port in (PAGES, REST):
        two.cluster.wait_until(lambda port=port: listens(two, port), f"port {port} is open")
    dumped = numbers(one.out(namespace(DUMP % {
        "program": program, "kib": kib, "address": two.address}), timeout=300), 1)
    result = receiver.wait()
    assert result.status == 0, result
    restored = numbers(two.out(namespace(RESTORE), timeout=300), 1)
    return [dumped[0] + restored[0]]
