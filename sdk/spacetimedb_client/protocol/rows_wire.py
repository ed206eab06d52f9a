"""Lists of rows, and what all binary messages share."""

from spacetimedb_bsatn import ConnectionId, DecodeError, Identity, Timestamp
from spacetimedb_bsatn.reader import Reader
from spacetimedb_client.protocol.compression import decompressed
from spacetimedb_client.protocol.messages import RowList


def opened(frame: bytes | str) -> Reader:
    """A binary frame of the server: a compression tag, and the message."""
    if isinstance(frame, str):
        raise DecodeError("a text frame, where the protocol has binary ones only")
    if not frame:
        raise DecodeError("an empty frame")
    return Reader(decompressed(frame[0], frame[1:]))


def read_rows(reader: Reader) -> RowList:
    if reader.tag(2) == 0:
        size = reader.u16()
        data = reader.bytes_()
        if len(data) % size if size else data:
            raise DecodeError(f"{len(data)} bytes of rows that have {size} each")
        return RowList(data, size)
    starts = reader.unpack(reader.u32(), 8, "Q")
    return RowList(reader.bytes_(), None, starts)


def read_identity(reader: Reader) -> Identity:
    return Identity.from_bytes(reader.take(Identity.SIZE_BYTES))


def read_connection_id(reader: Reader) -> ConnectionId:
    return ConnectionId.from_bytes(reader.take(ConnectionId.SIZE_BYTES))


def read_timestamp(reader: Reader) -> Timestamp:
    return Timestamp(reader.i64())


def optional_u32(reader: Reader) -> int | None:
    return reader.u32() if reader.tag(2) == 0 else None
