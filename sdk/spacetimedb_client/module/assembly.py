"""The code of generic.wat and a data segment that describes one module → its WebAssembly."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from importlib import resources
from typing import Final

from spacetimedb_bsatn import Identity, Schema, schema_to_bytes
from spacetimedb_bsatn.algebraic import (
    BYTES,
    CONNECTION_ID,
    IDENTITY,
    INTEGERS,
    TIME_DURATION,
    TIMESTAMP,
    UUID,
    AlgebraicType,
    Primitive,
)
from spacetimedb_bsatn.schema import Index, IndexKind, Table
from spacetimedb_client.module.operations import Action

DATA_START: Final = 1024
HEADER: Final = struct.Struct("<8I32s")
TABLE: Final = struct.Struct("<8I")
REDUCER: Final = struct.Struct("<4I")
TEXT: Final = struct.Struct("<2I")
PAGE_BYTES: Final = 1 << 16
FREE_BYTES: Final = 2 * PAGE_BYTES  # room for arguments before memory has to grow

MEMORY_SECTION: Final = 5
DATA_SECTIONS: Final = frozenset({0, 11, 12})  # custom ones, data, and the count of data

OWNER_ONLY: Final = 31
TEXTS: Final = {
    0: ": the database refused, without a reason that this module knows",
    4: ": no such table",
    5: ": no such index",
    9: ": no space",
    12: ": a row with the same unique value is there already",
    13: ": scheduled further ahead than the server can wait",
    14: ": that index is not unique",
    15: ": no such row",
    16: ": the sequence is used up",
    OWNER_ONLY: "only the owner of the database may call this",
}
OWN_LENGTH: Final = 0xFFFFFFFF
KEY_BYTES: Final[dict[AlgebraicType, int]] = {
    **{primitive: range_.bits // 8 for primitive, range_ in INTEGERS.items()},
    Primitive.BOOL: 1,
    Primitive.F32: 4,
    Primitive.F64: 8,
    Primitive.STRING: OWN_LENGTH,
    BYTES: OWN_LENGTH,
    IDENTITY: 32,
    CONNECTION_ID: 16,
    UUID: 16,
    TIMESTAMP: 8,
    TIME_DURATION: 8,
}


class DataSegment:
    """Bytes that are put one behind the other, and know their addresses."""

    def __init__(self) -> None:
        self.content = bytearray(HEADER.size)

    def put(self, data: bytes, align: int = 1) -> int:
        self.content += bytes(-len(self.content) % align)
        address = DATA_START + len(self.content)
        self.content += data
        return address

    def put_text(self, text: str) -> tuple[int, int]:
        data = text.encode()
        return self.put(data), len(data)


def assembled(schema: Schema, actions: Sequence[Action], owner: Identity) -> bytes:
    """The module, ready to be published."""
    segment = DataSegment()
    description = schema_to_bytes(schema)
    description_at = segment.put(description)
    tables = b"".join(_table(segment, schema, each) for each in schema.tables)
    reducers = b"".join(_reducer(segment, each) for each in actions)
    texts = b"".join(
        TEXT.pack(*segment.put_text(TEXTS.get(code, TEXTS[0]))) for code in range(OWNER_ONLY + 1)
    )
    tables_at, reducers_at, texts_at = (
        segment.put(each, align=8) for each in (tables, reducers, texts)
    )
    free = (DATA_START + len(segment.content) + 63) & ~63
    HEADER.pack_into(
        segment.content, 0,
        description_at, len(description), reducers_at, len(actions), tables_at, len(schema.tables),
        free, texts_at, bytes(owner),
    )  # fmt: skip
    pages = (free + FREE_BYTES + PAGE_BYTES - 1) // PAGE_BYTES
    return with_data(code(), bytes(segment.content), pages)


def code() -> bytes:
    """generic.wat, assembled by `make native`."""
    return (resources.files("spacetimedb_client.module") / "generic.wasm").read_bytes()


def _table(segment: DataSegment, schema: Schema, table: Table) -> bytes:
    columns = schema.columns(table)
    chosen = _index_of_key(table)
    index = "" if chosen is None else index_name(table.name, chosen, columns)
    key_bytes = 0
    if table.primary_key == 0:
        key_bytes = KEY_BYTES.get(schema.row_type(table).elements[0].type, 0)
    return TABLE.pack(*segment.put_text(table.name), *segment.put_text(index), 0, 0, key_bytes, 0)


def _index_of_key(table: Table) -> Index | None:
    """The index by which rows are found: that of the primary key, or any."""
    for each in table.indexes:
        if each.columns == (table.primary_key,):
            return each
    return table.indexes[0] if table.indexes else None


def index_name(table: str, index: Index, columns: Sequence[str]) -> str:
    """As the server names it, which is not to be chosen."""
    suffix = "direct" if index.kind is IndexKind.DIRECT else "btree"
    return "_".join((table, *(columns[each] for each in index.columns), "idx", suffix))


def _reducer(segment: DataSegment, action: Action) -> bytes:
    text = 0
    if action.text:
        data = action.text.encode()
        text = segment.put(len(data).to_bytes(4, "little") + data)
    only_in = 0 if action.only_in is None else action.only_in + 1
    guards = action.is_owner_only | only_in << 16
    return REDUCER.pack(action.operation, action.table, guards, text)


def with_data(module: bytes, data: bytes, pages: int) -> bytes:
    """The module with this data segment, and this much memory."""
    parts = [module[:8]]
    at = 8
    while at < len(module):
        section = module[at]
        size, at = _read_unsigned(module, at + 1)
        body = module[at : at + size]
        at += size
        if section == MEMORY_SECTION:
            body = b"\x01\x00" + _unsigned(pages)
        if section not in DATA_SECTIONS:
            parts.append(_section(section, body))
    constant = b"\x41" + _signed(DATA_START) + b"\x0b"
    parts.append(_section(11, b"\x01\x00" + constant + _unsigned(len(data)) + data))
    return b"".join(parts)


def _section(section: int, body: bytes) -> bytes:
    return bytes((section,)) + _unsigned(len(body)) + body


def _read_unsigned(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at


def _unsigned(number: int) -> bytes:
    """LEB128: seven bits a byte, the lowest first."""
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _signed(number: int) -> bytes:
    """As `_unsigned`, with a sign in the highest bit of the last byte; for numbers from 0 on."""
    parts = bytearray(_unsigned(number))
    if parts[-1] & 64:
        parts[-1] |= 128
        parts.append(0)
    return bytes(parts)
