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


class ClusterKey:
    """@text: of a file of keys; the first one counts."""

    def __init__(self, text):
        secret = bytes.fromhex(next(line for line in text.splitlines() if not line.startswith("#")))
        self.id = expand(secret, b"holon 1 id", 8)
        self._call = expand(secret, b"holon 1 call", 32)
        self._hello = expand(secret, b"holon 1 hello", 32)

    def sign_call(self, record):
        """A CALL whose last 40 bytes, key and proof, are as they must be."""
        signed = record[:-40] + self.id
        # The first record: the hash of those before it is zero.
        return signed + mac(self._call, bytes(32), signed)

    def sign_hello(self, hello):
        signed = hello[:112] + self.id
        return signed + mac(self._hello, signed) + hello[152:]
