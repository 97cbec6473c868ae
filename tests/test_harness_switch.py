"""The switch forwards frames, and does to them what a test asked for."""

import os
import select
import shutil
import socket
import struct
import tempfile
import time

import pytest

from harness import config
from harness.errors import HarnessError
from harness.history import History
from harness.switch import Switch

BROADCAST = b"\xff" * 6


class Wire:
    """A node's end of the wire, without a node."""

    def __init__(self, folder, number):
        self.folder = folder
        self.number = number
        self.mac = bytes([2, 0, 0, 0, 0, number])
        self.plug_in()

    def plug_in(self):
        path = f"{self.folder}/node{self.number}"
        if os.path.exists(path):
            os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)

    def send(self, to, payload):
        self.socket.sendto(to + self.mac + b"\x88\xb5" + payload, f"{self.folder}/sw{self.number}")

    def send_packet(self, to, packet):
        self.socket.sendto(to + self.mac + b"\x08\x00" + packet, f"{self.folder}/sw{self.number}")

    def receive(self, seconds=10):
        ready, _, _ = select.select([self.socket], [], [], config.limit(seconds))
        return self.socket.recv(65536)[14:] if ready else None

    def nothing(self, switch):
        """Nothing has arrived, and nothing is under way."""
        switch.sync()
        ready, _, _ = select.select([self.socket], [], [], 0)
        return not ready


@pytest.fixture
def net():
    """Three wires in a switch that knows their addresses: (switch, wire 1, wire 2, wire 3)."""
    folder = tempfile.mkdtemp(prefix="holon-")
    history = History(f"{folder}/history.jsonl")
    switch = Switch(folder, 3, 1, history, f"{folder}/net.pcap")
    wires = [Wire(folder, number) for number in (1, 2, 3)]
    for wire in wires:
        wire.send(BROADCAST, b"hello")
        for other in wires:
            if other is not wire:
                assert other.receive() == b"hello"
    yield switch, *wires
    switch.close()
    history.close()
    shutil.rmtree(folder)


def test_a_frame_reaches_the_node_of_its_address_only(net):
    switch, one, two, three = net
    one.send(two.mac, b"for two")
    assert two.receive() == b"for two"
    assert three.nothing(switch)
    one.send(bytes([2, 0, 0, 0, 0, 99]), b"for nobody known")
    assert two.receive() == three.receive() == b"for nobody known"


def test_a_cut_is_directed(net):
    switch, one, two, three = net
    switch.cut(1, 2, both=False)
    one.send(two.mac, b"lost")
    one.send(BROADCAST, b"lost for two")
    assert three.receive() == b"lost for two"
    assert two.nothing(switch)
    two.send(one.mac, b"the other way")
    assert one.receive() == b"the other way"
    switch.join(1, 2, both=False)
    one.send(two.mac, b"again")
    assert two.receive() == b"again"


def test_a_cut_ends_what_is_under_way(net):
    switch, one, two, three = net
    switch.delay(1, 2, 1e9)
    one.send(two.mac, b"under way")
    # Frames of one wire are taken in order: once this one is there, the other was.
    one.send(BROADCAST, b"behind it")
    assert three.receive() == b"behind it"
    switch.cut(1, 2, both=False)
    assert switch.stats()["cut"] == 2
    switch.heal()
    one.send(two.mac, b"through")
    assert two.receive() == b"through"


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total


def packet(protocol, payload):
    """IPv4 with a TCP or UDP header whose checksum is right: (packet, offset of the payload)."""
    if protocol == socket.IPPROTO_TCP:
        header = struct.pack("!HHIIBBHHH", 1, 2, 3, 4, 5 << 4, 0, 0, 0, 0)
        where = 16
    else:
        header = struct.pack("!HHHH", 1, 2, 8 + len(payload), 0)
        where = 6
    whole = bytearray(header + payload)
    pseudo = struct.pack("!4s4sBBH", b"abcd", b"efgh", 0, protocol, len(whole))
    struct.pack_into("!H", whole, where, ~checksum(pseudo + whole + bytes(len(whole) % 2)) & 0xffff)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(whole), 0, 0, 64, protocol, 0,
                     b"abcd", b"efgh")
    return ip + whole, 20 + len(header)


@pytest.mark.parametrize("protocol", [socket.IPPROTO_TCP, socket.IPPROTO_UDP])
def test_a_flipped_bit_has_a_right_checksum(net, protocol):
    switch, one, two, _ = net
    switch.flip(1, 2, 1)
    for length in (31, 32, 1001):
        sent, payload = packet(protocol, bytes(range(256)) * 4 if length > 256 else bytes(length))
        for _ in range(20):
            one.send_packet(two.mac, sent)
            got = two.receive()
            assert len(got) == len(sent)
            changed = [i for i in range(payload, len(sent)) if got[i] != sent[i]]
            assert len(changed) == 1
            difference = got[changed[0]] ^ sent[changed[0]]
            assert difference & (difference - 1) == 0
            body = got[20:]
            pseudo = struct.pack("!4s4sBBH", b"abcd", b"efgh", 0, protocol, len(body))
            assert checksum(pseudo + body + bytes(len(body) % 2)) == 0xffff
    assert switch.stats()["flipped"] == 60


def test_heal_ends_every_fault(net):
    switch, one, two, _ = net
    switch.cut("*", "*")
    switch.loss("*", "*", 1)
    switch.flip("*", "*", 1)
    switch.delay("*", "*", 1e9)
    one.send(two.mac, b"lost")
    assert two.nothing(switch)
    switch.heal()
    one.send(two.mac, b"through")
    assert two.receive() == b"through"


def test_a_delayed_frame_comes_later_and_in_order(net):
    switch, one, two, three = net
    switch.delay(1, 2, 300)
    start = time.monotonic()
    one.send(two.mac, b"first")
    one.send(two.mac, b"second")
    three.send(two.mac, b"not delayed")
    assert two.receive() == b"not delayed"
    assert two.receive() == b"first"
    assert time.monotonic() - start >= 0.3
    assert two.receive() == b"second"


def test_loss_repeats_with_its_seed(net):
    switch, one, two, _ = net

    def survivors():
        switch.command("seed", 7)
        got = []
        for i in range(200):
            one.send(two.mac, bytes([i]))
            if not two.nothing(switch):
                got.append(two.receive())
        return got

    switch.loss(1, 2, 0.5)
    first = survivors()
    assert 50 < len(first) < 150
    assert survivors() == first


def test_a_duplicated_frame_comes_twice(net):
    switch, one, two, _ = net
    switch.duplicate(1, 2, 1)
    one.send(two.mac, b"twice")
    assert two.receive() == two.receive() == b"twice"
    assert switch.stats()["duplicated"] == 1


def test_a_node_that_starts_again_is_reached(net):
    switch, one, two, _ = net
    two.socket.close()
    one.send(two.mac, b"to nobody")
    switch.sync()
    two.plug_in()
    one.send(two.mac, b"to the new one")
    assert two.receive() == b"to the new one"
    two.send(one.mac, b"from the new one")
    assert one.receive() == b"from the new one"


def test_a_slow_reader_loses_nothing_within_the_queue(net):
    _, one, two, _ = net
    for i in range(1000):
        one.send(two.mac, i.to_bytes(2, "big"))
    assert [two.receive() for _ in range(1000)] == [i.to_bytes(2, "big") for i in range(1000)]


def test_faults_are_in_the_history(net):
    switch, *_ = net
    switch.cut(1, 3)
    with open(f"{switch.folder}/history.jsonl", encoding="utf-8") as file:
        assert '"fault": ["cut", "3", "1"]' in file.read()


def test_a_wrong_command_is_an_error(net):
    switch, *_ = net
    for words in (("cut", 1, 9), ("frobnicate", 1, 2), ("delay",)):
        with pytest.raises(HarnessError):
            switch.command(*words)


def test_the_switch_ends_with_its_starter(net):
    switch, *_ = net
    switch._process.stdin.close()
    assert switch._process.wait(config.limit(10)) == 0
    # For close(), which closes it again.
    switch._process.stdin = open(os.devnull, "wb")
