"""Unpacks a little that becomes very much."""

import zlib

packer = zlib.compressobj(9)
packed = b"".join(packer.compress(bytes(2**24)) for _ in range(64)) + packer.flush()
unpacked = [zlib.decompress(packed) for _ in range(64)]
