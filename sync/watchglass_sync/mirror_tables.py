"""The tables of the mirror, as a SpacetimeDB module; docs/mirror.md has them as a contract."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from spacetimedb_bsatn import Classes, Codec, ConversionError, Identity, Timestamp, u32, u64
from spacetimedb_bsatn.algebraic import TIMESTAMP, Primitive, Ref, option
from spacetimedb_client.module import BatchStep, Module, Operation, TableHandle

APPLY: Final = "apply"
TEXT_CHARACTERS: Final = 2**20

# Of every table: its columns in their order. The first is the primary key. "=value" stands for the
# sum of exact values; the others are annotations of spacetimedb_client.module.
TABLES: Final[dict[str, dict[str, Any]]] = {
    "session": {
        "session": str,
        "name": str,
        "created_at": Timestamp,
        "last_active_at": Timestamp,
        "executions": u32,
    },
    "process": {
        "session": str,
        "state": str,
        "reason": option(Primitive.STRING),
        "cause": option(Primitive.STRING),
        "message": option(Primitive.STRING),
        "memory_bytes": option(Primitive.U64),
        "changed_at": Timestamp,
    },
    "execution": {
        "key": str,
        "session": str,
        "execution": str,
        "number": u32,
        "code": str,
        "author": option(Primitive.STRING),
        "status": str,
        "queued_at": Timestamp,
        "started_at": option(TIMESTAMP),
        "finished_at": option(TIMESTAMP),
        "duration_ms": option(Primitive.F64),
        "result": option(Primitive.STRING),
        "error": option(Primitive.STRING),
    },
    "output": {
        "key": str,
        "session": str,
        "place": u64,
        "execution": option(Primitive.STRING),
        "kind": str,
        "name": option(Primitive.STRING),
        "text": str,
        "bundle": option(Primitive.STRING),
        "time": Timestamp,
    },
    "variable": {
        "key": str,
        "session": str,
        "name": str,
        "type": str,
        "preview": str,
        "length": option(Primitive.U64),
        "value": "=value",
        "json": option(Primitive.STRING),
        "version": u64,
        "execution": option(Primitive.STRING),
        "changed_at": Timestamp,
    },
    "variable_change": {
        "key": str,
        "session": str,
        "place": u64,
        "name": str,
        "deleted": bool,
        "type": option(Primitive.STRING),
        "preview": option(Primitive.STRING),
        "value": "=value",
        "execution": option(Primitive.STRING),
        "line": option(Primitive.U32),
        "author": option(Primitive.STRING),
        "time": Timestamp,
    },
    "participant": {
        "key": str,
        "session": str,
        "participant": str,
        "name": str,
        "role": str,
        "joined_at": Timestamp,
    },
    "checkpoint": {
        "key": str,
        "session": str,
        "checkpoint": str,
        "execution": option(Primitive.STRING),
        "created_at": Timestamp,
    },
    "position": {
        "session": str,
        "origin": str,
        "seq": u64,
        "outputs": u64,
        "changes": u64,
    },
    "permission": {
        "key": str,
        "identity": Identity,
        "session": option(Primitive.STRING),
        "role": str,
        "name": option(Primitive.STRING),
        "granted_at": Timestamp,
    },
    "caller": {
        "identity": Identity,
    },
    "access": {
        "key": str,
        "identity": Identity,
        "session": str,
        "role": str,
    },
    "command_result": {
        "key": str,
        "caller": Identity,
        "command": str,
        "session": option(Primitive.STRING),
        "execution": option(Primitive.STRING),
        "ok": bool,
        "code": option(Primitive.STRING),
        "message": option(Primitive.STRING),
        "answered_at": Timestamp,
    },
}
OF_SESSIONS: Final = (
    "session",
    "process",
    "execution",
    "output",
    "variable",
    "variable_change",
    "participant",
    "checkpoint",
)
"""What an identity sees of the sessions that were granted to it, and of no other."""
PRIVATE: Final = frozenset({"position", "permission", "caller"})
INDEXES: Final[dict[str, list[str]]] = {
    **{name: ["session"] for name in OF_SESSIONS if "key" in TABLES[name]},
    "access": ["identity", "session"],
    "command_result": ["caller"],
}

COMMAND: Final = "command"
NO_CALLER: Final = (
    "you have no role in any session: ask the owner of this server for `watchglass mirror grant`"
)
# The kinds of commands, each with its columns.
ACTIONS: Final[dict[str, dict[str, Any]]] = {
    "Execute": {"code": str},
    "SetVariable": {"name": str, "json": str},
    "DeleteVariable": {"name": str},
    "Interrupt": {},
    "CreateSession": {"name": option(Primitive.STRING)},
    "DestroySession": {},
}


class MirrorTable:
    """One table: how a row of it becomes the bytes of a batch."""

    def __init__(self, handle: TableHandle, row: Any, codec: Codec, key: Codec) -> None:
        self.handle = handle
        self.row = row
        self._codec = codec
        self._key = key

    def upsert(self, **columns: Any) -> BatchStep:
        """Put a row in the place of the one with its key, or beside the others."""
        try:
            data = self._codec.encode(self.row(**columns))
        except ConversionError:
            data = b""
        if not 0 < len(data) <= TEXT_CHARACTERS:
            # Hardly any row: the others are not looked through for it.
            row = self.row(**{name: encodable(value) for name, value in columns.items()})
            data = self._codec.encode(row)
        return BatchStep(Operation.UPSERT, self.handle.place, data)

    def insert(self, **columns: Any) -> BatchStep:
        """Put a row beside the others; the batch is refused where one with its key is there."""
        row = self.row(**{name: encodable(value) for name, value in columns.items()})
        return BatchStep(Operation.INSERT, self.handle.place, self._codec.encode(row))

    def delete_row(self, **columns: Any) -> BatchStep:
        """Take away the row that is exactly this, if there is one."""
        row = self.row(**{name: encodable(value) for name, value in columns.items()})
        one = (1).to_bytes(4, "little") + self._codec.encode(row)
        return BatchStep(Operation.DELETE_ROWS, self.handle.place, one)

    def delete(self, key: str | int | Identity) -> BatchStep:
        """Take away the row with this key, if there is one."""
        return BatchStep(Operation.DELETE_KEY, self.handle.place, self._key.encode(encodable(key)))


def encodable(value: Any) -> Any:
    """Text with a question mark for what UTF-8 has no bytes for: halves of a surrogate pair.

    No code is longer than it may be, but that of a file that was imported: a row has to go into
    one message to the database, or no row after it would ever be written.
    """
    if type(value) is not str:
        return value
    text = value[:TEXT_CHARACTERS]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class MirrorTables:
    """The module of the mirror, and its tables by name."""

    def __init__(self, *, public: bool) -> None:
        """`public`: everyone sees all sessions, and not only those granted to them."""
        self.is_public = public
        self.module = Module(owner_only=True)
        values = self.module.sum(
            "Value", Unknown=None, Nothing=None, Bool=bool, Int=int, Float=float, Text=str
        )
        self._handles = {
            name: self._table(name, columns, values) for name, columns in TABLES.items()
        }
        self._handles[COMMAND] = self._inbox()
        self.module.reducer(APPLY, Operation.BATCH)
        for rule in _rules(public=public):
            self.module.visibility_filter(rule)

    def _table(self, name: str, columns: dict[str, Any], values: Ref) -> TableHandle:
        given = {each: values if kind == "=value" else kind for each, kind in columns.items()}
        return self.module.table(
            name,
            given,
            primary_key=next(iter(columns)),
            indexes=INDEXES.get(name, []),
            public=name not in PRIVATE,
        )

    def _inbox(self) -> TableHandle:
        kinds = {
            kind: self.module.product(kind, **columns) if columns else None
            for kind, columns in ACTIONS.items()
        }
        action = self.module.sum("Action", **kinds)
        columns = {"key": str, "session": str, "action": action}
        callers = self._handles["caller"]
        return self.module.inbox(COMMAND, columns, only_in=callers, refusal=NO_CALLER)

    def build(self, owner: Identity) -> bytes:
        """The module, whose reducers obey this identity alone."""
        return self.module.build(owner=owner)

    @cached_property
    def tables(self) -> dict[str, MirrorTable]:
        """The tables by name."""
        classes = self._classes
        return {
            name: MirrorTable(
                handle,
                classes.of(handle.row.index),
                Codec(classes, handle.row, name),
                Codec(classes, handle.key, f"{name}.key"),
            )
            for name, handle in self._handles.items()
            if handle.key is not None
        }

    @cached_property
    def value(self) -> Any:
        """The class of exact values: `Value.Int(5)`, `Value.Unknown()`."""
        return self._classes.all()["Value"]

    @cached_property
    def _classes(self) -> Classes:
        return Classes(self.module.schema)


def _rules(*, public: bool) -> Iterator[str]:
    """Who sees which rows.

    `access` has no rule: the database (1.2.0) can follow a join with a table only if that has none.
    The identity is asked for twice. Said once, it takes the place of the join's index, and then
    the database refuses every subscription that has a condition of its own; and where the key of
    a table is joined, it tells a change to the identity of the first row of `access` alone.
    """
    yield "SELECT * FROM command_result WHERE caller = :sender"
    if not public:
        for name in OF_SESSIONS:
            yield (
                f"SELECT {name}.* FROM {name} JOIN access ON {name}.session = access.session"
                " WHERE access.identity = :sender OR access.identity = :sender"
            )
