"""The static program tests/programs/wire.c, in /home/bin of a cluster: a stranger on the wire."""

import struct
import subprocess
from pathlib import Path

from harness import config

PORT = 29477
WIRE = "/home/bin/wire"
SOURCE = Path(__file__).parent / "programs" / "wire.c"


def install(cluster):
    """Compile it into the directory that is /home on the nodes."""
    target = cluster.home / "bin" / "wire"
    target.parent.mkdir(exist_ok=True)
    subprocess.run(["cc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-o", target, SOURCE],
                   check=True, timeout=config.limit(120))


def send(node, address, payloads):
    """
    Send each payload on a connection of its own, from ports that nodes use. Return: how many
    bytes came back on each before the other side closed it, in any order.
    """
    count = 0
    for count, payload in enumerate(payloads, 1):
        node.write(f"/tmp/wire{count}", payload)
    # Half a handshake is waited for: some at a time.
    lines = node.out(f"ls /tmp/wire* | xargs -n 1 -P 8 {WIRE} send {address} {PORT}",
                     timeout=900).split()
    node.run("rm -f /tmp/wire*")
    assert len(lines) == count
    return [int(line) for line in lines]


def packets(cluster):
    """(source, destination, protocol, source port, destination port, sequence, payload) so far."""
    cluster.switch.sync()
    data = (cluster.folder / "net.pcap").read_bytes()
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        if frame[12:14] != b"\x08\x00":
            continue
        ip = frame[14:]
        body = ip[(ip[0] & 15) * 4:struct.unpack(">H", ip[2:4])[0]]
        source, target = (".".join(map(str, ip[i:i + 4])) for i in (12, 16))
        ports = struct.unpack(">HH", body[:4])
        if ip[9] == 6:
            yield source, target, "tcp", *ports, struct.unpack(">I", body[4:8])[0], \
                body[(body[12] >> 4) * 4:]
        elif ip[9] == 17:
            yield source, target, "udp", *ports, 0, body[8:]


class Talk:
    """Connections from @node, of its address @source, whose handshakes the test makes."""

    def __init__(self, node, address, source):
        self.task = node.spawn([WIRE, "talk", address, str(PORT), source], open_stdin=True)
        self._count = 0

    def begin(self, record):
        """The number of a new connection; @record is sent on it."""
        self._count += 1
        self.go_on(self._count, record)
        return self._count

    def go_on(self, number, record):
        self.task.input(f"{number} {record.hex()}\n")

    def record(self, number, index):
        """Wait for the record @index of connection @number."""
        found = self.task.wait_output(rf"(?m)^{number} {index} (\w+)\n")
        return bytes.fromhex(found[1].decode())

    def wait_closed(self, number, timeout=60):
        self.task.wait_output(rf"(?m)^{number} closed\n", timeout)

    def close(self):
        """All of them."""
        self.task.close_input()
        self.task.wait()
