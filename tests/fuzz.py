"""
Bytes that a node must survive: frames as a member sends them, hellos and handshakes as
anybody does, right but for what a random number has changed.
"""

import struct

PORT = 29477

CONTROL, RSP, FWD, REQ, BULK = range(5)
CREDS = 1		# flag of a frame
FORGED = 1 << 63	# set in the call ids of forge, see rpc_forge.c

EDGES_8 = (0, 1, 2, 0x7f, 0x80, 0xfe, 0xff)
EDGES_32 = (0, 1, 2, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x10000, 1 << 20, 8 << 20)
EDGES_64 = (0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 2, 1 << 32)


def mutate(rnd, data, first=0):
    """@data with a few changes behind @first, as edges of numbers or single bits."""
    data = bytearray(data)
    for _ in range(rnd.choice((1, 1, 1, 2, 4, 8))):
        room = len(data) - first
        if room <= 0:
            break
        # Most numbers that matter stand at the beginning.
        at = first + rnd.randrange(min(room, rnd.choice((16, 64, room))))
        kind = rnd.randrange(4)
        if kind == 0:
            data[at] ^= 1 << rnd.randrange(8)
        elif kind == 1:
            data[at] = rnd.choice(EDGES_8)
        elif kind == 2 and len(data) >= first + 4:
            at = min(first + (at - first) // 4 * 4, len(data) - 4)
            struct.pack_into("<I", data, at, rnd.choice(EDGES_32))
        elif len(data) >= first + 8:
            at = min(first + (at - first) // 4 * 4, len(data) - 8)
            struct.pack_into("<Q", data, at, rnd.choice(EDGES_64))
    return bytes(data)


def resize(rnd, data):
    """@data cut off, or with something behind it."""
    if data and rnd.random() < 0.5:
        return data[:rnd.randrange(len(data))]
    return data + rnd.randbytes(rnd.choice((1, 4, 8, 100, 5000)))


# --- frames of a member ---------------------------------------------------------

def frame(to, rank, kind, payload=b"", *, call=0, flags=0, epoch=0, magic=0x4e4c4f48, version=1,
          reserved=0):
    """A frame for /sys/kernel/debug/holon/forge."""
    return struct.pack("<B7xIBBHHHIQQ", to, magic, version, rank, kind, flags, reserved,
                       len(payload), call, epoch) + payload


def _task(rnd):
    """struct holon_wire_task"""
    return struct.pack("<QII", rnd.choice((0, 1, 2, rnd.getrandbits(64))),
                       rnd.choice((0, 1, 2, 100, 3 << 22 | 100, 1 << 22 | 300, rnd.getrandbits(32))),
                       rnd.choice((0, 0, 1, rnd.getrandbits(32))))


def _record(kind, data):
    """A record of an image: an ELF note."""
    padded = data + bytes(-len(data) % 4)
    return struct.pack("<III", 6, len(data), kind) + b"HOLON\0\0\0" + padded


def _cred(groups=()):
    return struct.pack("<10I5Q", *[0] * 8, 0, len(groups), 0, 0, 0, 0, 0) + \
        b"".join(struct.pack("<I", group) for group in groups) + bytes(4 * (len(groups) % 2))


def _hosted(rnd):
    """A description that stayed at a node, none, or a part of it."""
    some = struct.pack("<QQII", 1, rnd.choice((1, rnd.getrandbits(64))), rnd.choice((1, 2, 9, 300)), 0)
    return rnd.choice((bytes(24), bytes(24), some, some[:12]))


def _image(rnd):
    must = 0x80000000
    records = [
        _record(must | 1, struct.pack("<4I", 3, 1, 0, 0)),
        _record(must | 2, bytes(8) + _cred((1, 2))),
        _record(must | 3, bytes(56 + 256)),
        _record(must | 4, bytes(rnd.choice((40, 56, 56, 56, 80))) + _hosted(rnd) + b"/dev/null\0"),
        _record(must | 5, b"/home\0"),
        _record(must | 6, b"/bin/true\0"),
        _record(must | 7, b"/bin/true\0"),
        _record(must | 8, b"true\0"),
    ]
    if rnd.random() < 0.3:
        records = _move_records(rnd, records)
    if rnd.random() < 0.5:
        rnd.shuffle(records)
    return b"".join(records[:rnd.randrange(1, len(records) + 1)])


def _timers_and_files(rnd):
    """Timers of timer_create(); eventfds and the like; what an epoll looks at."""
    must = 0x80000000

    def odd(*usual):
        return rnd.choice((*usual, 0, 0xffffffff, rnd.getrandbits(32)))

    timers = [struct.pack("<6I4Q", odd(n), odd(0, 1, 2), odd(0, 1, 4), odd(10, 14), odd(), 0,
                          *(rnd.choice((0, 1, 1 << 30, rnd.getrandbits(64))) for _ in range(4)))
              for n in range(rnd.randrange(3))]
    files = [struct.pack("<4I5Q", odd(5 + n), odd(1, 2, 3, 4), odd(0o4000), 0,
                         *(rnd.choice((0, 1, 1 << 30, rnd.getrandbits(64))) for _ in range(5)))
             for n in range(rnd.randrange(4))]
    watched = [struct.pack("<4IQ", odd(5, 6), odd(0, 7), odd(1, 5), 0, 77)
               for _ in range(rnd.randrange(3))]
    return [*(_record(must | 22, timer) for timer in timers),
            *(_record(must | 20, file) for file in files),
            *(_record(must | 21, entry) for entry in watched)]


def _mapped(rnd):
    """Which file is mapped: by its name, to be read from its home, both, or neither."""
    paged = rnd.choice(((0, 0, 0), (rnd.choice((1, 2, 1 << 40)), 7,
                                    rnd.choice((0, 1, 4096, 1 << 30, 1 << 63)))))
    return struct.pack("<6QII", 1, 2, 3, *paged, rnd.choice((0, 1, 1, 0xffffffff)), 0)


def _move_records(rnd, records):
    """Of a process that moves: its address space, registers, signal actions."""
    must = 0x80000000
    areas = []
    at = 0x400000
    for _ in range(rnd.randrange(6)):
        end = at + (rnd.randrange(1, 5) << 12)
        area = struct.pack("<4Q", at, end, rnd.choice((0x73, 0x75, 0x71)), 0)
        areas.append(_record(must | 16, area + _mapped(rnd) + rnd.choice((b"\0", b"/bin/true\0"))))
        at = end
    # Numbers that fit and do not, instructions that are and are none.
    filters = [_record(must | 23, struct.pack("<II", rnd.choice((n, n, 5, 0xffffffff)),
                                              rnd.choice((0, 2, 1, 0xffffffff)))
                       + rnd.choice((b"", struct.pack("<HBBI", 6, 0, 0, 0x7fff0000), bytes(16), bytes(9))))
               for n in range(rnd.choice((0, 0, 1, 3)))]
    thread = [_record(must | 11, bytes(27 * 8)),
              _record(must | 12, bytes(rnd.choice((576, 832, 2696)))),
              _record(must | 10, bytes(64 + 40 + 16)), *filters]
    siblings = []
    for number in rnd.choices((4194999, 4195000, 4195001, 1, 0xffffffff), k=rnd.choice((0, 1, 3))):
        siblings += [_record(must | 19, struct.pack("<QII", rnd.choice((1, 0, 77)), number, 0)),
                     *records[1:3], *thread]
    def numbers(count):
        return [rnd.choice((0, 0, 1, 1000, 1 << 40, rnd.getrandbits(64))) for _ in range(count)]

    return [_record(must | 9, struct.pack("<II", 3, 0)), *records[1:5],
            _record(must | 17, bytes(36)), *thread,
            _record(must | 14, bytes(16 * 8 + 8 + 64 * 8)),
            _record(must | 15, _mapped(rnd) + b"/bin/true\0"), *areas, _record(must | 13, bytes(64 * 32)),
            *_timers_and_files(rnd), _record(must | 18, struct.pack("<9Q", *numbers(9))), *siblings]


def _address(rnd):
    """Of an exported file."""
    return struct.pack("<QQ", rnd.choice((0, 1, 1, 2)), rnd.choice((1, rnd.getrandbits(64))))


def _place(rnd):
    """A position or a length: of a file, or of none."""
    return rnd.choice((0, 1, 4096, (1 << 64) - 1, 1 << 63, (1 << 63) - 1, rnd.getrandbits(64)))


def _lock(rnd):
    return struct.pack("<4I3Q", rnd.randrange(5), rnd.randrange(4), rnd.choice((0, 1)),
                       rnd.choice((1, 0xffffffff)), _place(rnd), _place(rnd), rnd.getrandbits(64))


# name: (rank, type, one-way, payload, least length): those that a stranger to the state of
# processes can send as often as it likes.
TYPES = {
    "cancel": (REQ, 2, False, lambda rnd: b"", 0),
    "flush": (FWD, 3, True, lambda rnd: struct.pack("<QII", rnd.randrange(20), 1, 0), 16),
    "credit": (RSP, 4, True, lambda rnd: struct.pack("<II", rnd.randrange(5), 100), 8),
    "echo": (REQ, 8, False, lambda rnd: struct.pack("<II", 8, 0) + bytes(8), 8),
    "sink": (BULK, 9, True, lambda rnd: bytes(100), 0),
    "sink_end": (BULK, 10, False, lambda rnd: bytes(10), 0),
    "facts": (REQ, 16, False, lambda rnd: b"", 0),
    "facts_changed": (FWD, 17, True, lambda rnd: b"", 0),
    "image": (BULK, 128, False,
              lambda rnd: _task(rnd) + struct.pack("<II", 0, 4000) + bytes(2000), 24),
    "exec": (REQ, 129, False, lambda rnd: _task(rnd) + _image(rnd), 16),
    "go": (FWD, 130, True, _task, 16),
    "signal": (FWD, 131, True, lambda rnd: _task(rnd) + struct.pack("<QII", 1, 10, 0) + bytes(48),
               80),
    "kill": (FWD, 132, True, _task, 16),
    "forward": (REQ, 133, False,
                lambda rnd: _task(rnd) + struct.pack("<IHBBHBBIIIQ6Q", rnd.randrange(400), 18, 1, 1,
                                                     0, 0, 0, 0, 0, 4096, 0, *[0] * 6) +
                struct.pack("<IIIIHBBII", 0, 8, 8, 0, 0, 0, 4, 0x80000000, 0) + bytes(8), 20),
    "stopped": (FWD, 134, True, lambda rnd: _task(rnd) + struct.pack("<QII", 0, 19, 0), 32),
    "exit": (FWD, 135, True, lambda rnd: _task(rnd) + bytes(88), 104),
    "fork": (REQ, 136, False,
             lambda rnd: _task(rnd) + struct.pack("<IIIIIIQ", rnd.choice((0x20003, 0x20004)), 0, 17, 0,
                                                  rnd.choice((0, 1, 100)), 0, 0), 20),
    "born": (FWD, 137, True, _task, 16),
    "pages": (BULK, 138, False, lambda rnd: _task(rnd) + struct.pack("<IIQ", 1, 0, 0x400000) +
              bytes(4096), 24),
    "recall": (FWD, 139, True, _task, 16),
    "memory": (BULK, 141, False,
               lambda rnd: _task(rnd) + struct.pack("<IHBBQQ", 0, 1, rnd.choice((0, 0, 1)), 0,
                                                    rnd.choice((0, 0x400000, 0x7fffffffe000, 1 << 63)),
                                                    16) + bytes(rnd.choice((0, 16))), 24),
    "land": (REQ, 133, False,
             lambda rnd: _task(rnd) + struct.pack("<IIIIIIQ", rnd.choice((0x20005, 0x20006, 0x20007)), 0,
                                                  rnd.choice((0, 1)), 0, 0, 0, 0) + _image(rnd), 20),
    "poll_ask": (FWD, 256, True, lambda rnd: struct.pack("<QQIIII", 1, 1, 100, 0, 1, 0), 32),
    "export_open": (REQ, 258, False, lambda rnd: struct.pack("<QQ", 1, rnd.getrandbits(64)), 16),
    "paged_read": (REQ, 259, False,
                   lambda rnd: struct.pack("<QQQII", rnd.choice((0, 1, 2)), rnd.getrandbits(64),
                                           rnd.choice((0, 4096, 1 << 63)),
                                           rnd.choice((0, 1, 4096, 0xffffffff)), 0), 32),
    "export_drop": (REQ, 260, True, lambda rnd: struct.pack("<QQQ", 1, rnd.getrandbits(64), 1), 24),
    "hosted_read": (REQ, 261, False,
                    lambda rnd: _address(rnd) + struct.pack("<QII", _place(rnd), rnd.choice(
                        (0, 1, 4096, 0x80000, 0xffffffff)), 0), 32),
    "hosted_write": (REQ, 262, False,
                     lambda rnd: _address(rnd) + struct.pack("<QQII", _place(rnd), _place(rnd),
                                                             rnd.choice((0, 1)), 0) +
                     bytes(rnd.choice((0, 1, 4096))), 40),
    "hosted_call": (REQ, 263, False,
                    lambda rnd: _address(rnd) + struct.pack("<IIQQQ", rnd.randrange(6), 0, _place(rnd),
                                                            _place(rnd), _place(rnd)), 48),
    "hosted_stat": (REQ, 264, False,
                    lambda rnd: _address(rnd) + struct.pack("<II", 0x7ff, rnd.getrandbits(16)), 24),
    "hosted_lock": (REQ, 266, False, lambda rnd: _address(rnd) + _lock(rnd), 56),
    "hosted_unlock": (REQ, 267, True, lambda rnd: _address(rnd) + _lock(rnd), 56),
    "hosted_open": (REQ, 268, False, lambda rnd: _address(rnd) + struct.pack("<II", rnd.getrandbits(22), 0),
                    24),
    "poll_mask": (FWD, 257, True, lambda rnd: struct.pack("<QQIIII", 1, 1, 100, 1, 1, 0), 32),
}


class Calls:
    """Ids of calls, none twice."""

    def __init__(self):
        self._last = FORGED

    def next(self):
        self._last += 1
        return self._last


def payload_frames(rnd, to, calls, count):
    """Headers as they have to be, payloads that are not: what costs nobody its connection."""
    for _ in range(count):
        rank, kind, oneway, make, least = TYPES[rnd.choice(sorted(TYPES))]
        data = make(rnd)
        # A cancel has no payload; of flush and credit any wrong number is malformed.
        if kind > 4:
            data = mutate(rnd, data)
            if rnd.random() < 0.2:
                data = resize(rnd, data)
                data += bytes(max(0, least - len(data)))
        yield frame(to, rank, kind, data, call=0 if oneway else calls.next(),
                    epoch=rnd.choice((0, 1, 5, 1 << 40)))


def _change(rnd):
    """Of the attributes of an exported file."""
    return _address(rnd) + struct.pack("<4IQQIIQII", rnd.getrandbits(14), 0o600, 0, 0, _place(rnd),
                                       1, 0, 0, 1, 0, 0)


def credential_frames(rnd, to, calls, count):
    """Credentials in front of a request: of nothing but zeros, which does nothing, or of one."""
    for _ in range(count):
        rank, kind, data = rnd.choice(((FWD, 21, bytes(64)), (REQ, 265, _change(rnd))))
        yield frame(to, rank, kind, mutate(rnd, _cred(range(rnd.randrange(6)))) + data,
                    call=calls.next(), flags=CREDS)


def frames(rnd, to, calls, count):
    """Anything: most cost the sender its connection."""
    for _ in range(count):
        rank, kind, oneway, make, _ = TYPES[rnd.choice(sorted(TYPES))]
        change = {"call": 0 if oneway else calls.next()}
        data = mutate(rnd, make(rnd))
        for _ in range(rnd.choice((0, 1, 1, 2))):
            what = rnd.randrange(8)
            if what == 0:
                rank = rnd.randrange(1, 5)
            elif what == 1:
                kind = rnd.choice((0, 1, 5, 63, 127, 200, 1023, 1024, 0xffff, kind ^ 1))
            elif what == 2:
                change["flags"] = rnd.choice((1, 2, 0x8000, 0xffff))
            elif what == 3:
                change["call"] = rnd.choice((0, FORGED, 1, 2, (1 << 64) - 1))
            elif what == 4:
                change["magic"] = rnd.getrandbits(32)
            elif what == 5:
                change["version"] = rnd.choice((0, 2, 255))
            elif what == 6:
                change["reserved"] = rnd.getrandbits(16)
            else:
                data = resize(rnd, data)
        # A test's own type could be told to sleep for days.
        if not 20 <= kind <= 24:
            yield frame(to, rank, kind, data, **change)


# --- membership --------------------------------------------------------------------

def _head(uuid, epoch, rounds=0, proposer=0):
    return struct.pack("<16sQIB3x", uuid, epoch, rounds, proposer)


def _view(uuid, epoch, members, coordinator=0):
    return struct.pack("<16sQHB5x", uuid, epoch, len(members), coordinator) + b"".join(
        struct.pack("<Q16s16sHBB4x", incarnation, node_uuid, b"\x0a\x4d\0" + bytes([ident]) + bytes(12),
                    0x2573, ident, 4) for ident, incarnation, node_uuid in members)


def control_messages(rnd, cluster_uuid, epoch, members):
    """(type, payload) of each kind of message, right in itself. @members: (id, incarnation, uuid)"""
    e = max(0, epoch + rnd.choice((-1, 0, 0, 1, 1, 1, 2)))
    ballot = (rnd.choice((1, 2, 100, 0xffffffff)), rnd.choice((1, 2, 3, 200)))
    some = sorted(rnd.sample(members, rnd.randrange(1, len(members) + 1)))
    if rnd.random() < 0.3:
        some = [(ident, incarnation + 1, uuid) for ident, incarnation, uuid in some]
    view = _view(cluster_uuid, e, some, rnd.choice([0] + [m[0] for m in some]))
    previous = _view(cluster_uuid, max(0, e - 1), some)
    bits = rnd.randbytes(32)
    head, plain = _head(cluster_uuid, e, *ballot), _head(cluster_uuid, e)
    return [
        (64, plain + struct.pack("<QQQBBBB4x", 1, 1, 1, rnd.randrange(7), 3, rnd.randrange(12),
                                 rnd.randrange(12)) + bits),
        (65, plain + bits),
        (66, plain + struct.pack("<16s32sHH4x", members[0][2], b"test", 1, 1)),
        (67, plain + view),
        (68, plain + b"because"),
        (69, plain),
        (70, head + previous),
        (71, head + struct.pack("<IB3x", 0, 0) + bits),
        (71, head + struct.pack("<IB3x", 1, 1) + bits + view),
        (72, head),
        (73, head + view),
        (74, head),
        (75, plain + view),
        (76, plain + view),
        (77, plain + struct.pack("<B3x", rnd.randrange(12))),
        (78, plain + struct.pack("<B3x", rnd.randrange(12))),
    ]


def view_frames(rnd, to, count, *what):
    """Lies about views, as @what of control_messages(); half of them damaged."""
    for _ in range(count):
        kind, data = rnd.choice(control_messages(rnd, *what))
        damage = rnd.randrange(4)
        if damage == 0:
            data = mutate(rnd, data)
        elif damage == 1 and rnd.random() < 0.3:
            data = resize(rnd, data)
        yield frame(to, CONTROL, kind, data)


# --- what strangers send -----------------------------------------------------------

def ident(node, incarnation, uuid):
    return struct.pack("<Q16sB7x", incarnation, uuid, node)


def hello(who, cluster=b"test", cluster_uuid=bytes(16), epoch=0, port=PORT, expect=0, state=1,
          versions=(1, 1), magic=0x494c4f48):
    return struct.pack("<IHH", magic, *versions) + who + cluster_uuid + struct.pack(
        "<32sQHBB4xQ8s32s", cluster, epoch, port, expect, state, 1, b"k" * 8, b"m" * 32)


def datagram(source, to, payload, ports=(PORT, PORT), card=None):
    """
    An Ethernet frame with @payload in UDP. @source, @to: ids of nodes; 0 is the group. It comes from
    the network card of node @card, by default from that of @source.
    """
    target = "239.255.72.79" if not to else f"10.77.0.{to}"
    addresses = [bytes(map(int, text.split("."))) for text in (f"10.77.0.{source}", target)]
    udp = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
    ip = bytearray(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, *addresses))
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xffff) + (total >> 16)
    struct.pack_into("!H", ip, 10, ~(total + (total >> 16)) & 0xffff)
    mac = bytes([0x52, 0x54, 0, 0x77, 0, to]) if to else bytes([1, 0, 0x5e, 0x7f, 0x48, 0x4f])
    return mac + bytes([0x52, 0x54, 0, 0x77, 0, card or source]) + b"\x08\x00" + bytes(ip) + udp
