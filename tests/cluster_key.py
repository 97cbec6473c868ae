"""What is derived from a cluster key and proven with it, as in kernel/net/holon/key.c: for liars that have one."""

import hashlib
import hmac

FILE = "/etc/holon/cluster.key"


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def expand(secret, info, size):
    """HKDF-Expand of RFC 5869."""
    block, out = b"", b""
    for counter in range(1, 256):
        block = mac(secret, block, info, bytes([counter]))
        out += block
        if len(out) >= size:
            return out[:size]
    raise ValueError(size)


PRIME = 2 ** 255 - 19


def x25519(scalar, point):
    """RFC 7748."""
    k = int.from_bytes(scalar, "little") & ~7 & (1 << 255) - 1 | 1 << 254
    u = int.from_bytes(point, "little") & (1 << 255) - 1
    x2, z2, x3, z3 = 1, 0, u, 1
    for bit in bin(k)[2:]:
        if bit == "1":
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb, e = d * a % PRIME, c * b % PRIME, a * a - b * b
        x3, z3 = (da + cb) ** 2 % PRIME, u * (da - cb) ** 2 % PRIME
        x2, z2 = a * a * b * b % PRIME, e * (a * a + 121665 * e) % PRIME
        if bit == "1":
            x2, z2, x3, z3 = x3, z3, x2, z2
    return (x2 * pow(z2, PRIME - 2, PRIME) % PRIME).to_bytes(32, "little")


class ClusterKey:
    """@text: of a file of keys; the first one counts."""

    def __init__(self, text):
        secret = bytes.fromhex(next(line for line in text.splitlines() if not line.startswith("#")))
        self.id = expand(secret, b"holon 1 id", 8)
        self.call = expand(secret, b"holon 1 call", 32)
        self.session = expand(secret, b"holon 1 session", 32)
        self._hello = expand(secret, b"holon 1 hello", 32)

    def sign_call(self, record):
        """A CALL whose last 40 bytes, key and proof, are as they must be."""
        signed = record[:-40] + self.id
        # The first record: the hash of those before it is zero.
        return signed + mac(self.call, bytes(32), signed)

    def sign_hello(self, hello):
        signed = hello[:112] + self.id
        return signed + mac(self._hello, signed) + hello[152:]


class Handshake:
    """The connecting side of one, as in kernel/net/holon/auth.c."""

    def __init__(self, key, private):
        self._key = key
        self._private = private
        self._mac = key.call
        self._transcript = bytes(32)

    def _note(self, record):
        self._transcript = hashlib.sha256(self._transcript + record).digest()
        return record

    def sign(self, record):
        """A CALL, then a PROOF."""
        public = x25519(self._private, (9).to_bytes(32, "little")) if record[4] == 1 else bytes(32)
        signed = record[:120] + public + record[152:248] + self._key.id
        return self._note(signed + mac(self._mac, self._transcript, signed))

    def check(self, record):
        """Is it what somebody with the key says here: an ANSWER, then a VERDICT?"""
        if record[4] == 2:
            self._mac = mac(self._key.session, x25519(self._private, record[120:152]))
        proven = hmac.compare_digest(mac(self._mac, self._transcript, record[:256]), record[256:])
        self._note(record)
        return proven
