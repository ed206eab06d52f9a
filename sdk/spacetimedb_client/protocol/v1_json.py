"""v1.json.spacetimedb: the same as v1.bsatn in words, for looking at what is said.

Rows become BSATN as soon as they come, so that nothing behind this file knows of JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from spacetimedb_bsatn import (
    ConnectionId,
    DecodeError,
    Identity,
    Ref,
    Schema,
    Timestamp,
)
from spacetimedb_bsatn import algebraic as sats
from spacetimedb_bsatn.algebraic import AlgebraicType, Primitive, option, product
from spacetimedb_bsatn.plain import Tagged, decode_plain, encode_plain
from spacetimedb_bsatn.sats_json import from_json, to_json
from spacetimedb_client.errors import InvalidState
from spacetimedb_client.protocol.dialect import Frame
from spacetimedb_client.protocol.messages import (
    Connected,
    Event,
    Outcome,
    QueryResult,
    ReducerEvent,
    RowList,
    SubscribeApplied,
    SubscriptionFailed,
    TableUpdate,
    TransactionUpdate,
    UnsubscribeApplied,
    Updates,
)

UNKNOWN_REDUCER: Final = 2**32 - 1
# What reading a message ends in whose parts are of other kinds than they should be.
OTHERWISE_FORMED: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
IDENTITY_TOKEN: Final = product(
    ("identity", sats.IDENTITY),
    ("token", Primitive.STRING),
    ("connection_id", sats.CONNECTION_ID),
)
REDUCER_CALL: Final = product(
    ("reducer_name", Primitive.STRING),
    ("reducer_id", Primitive.U32),
    ("request_id", Primitive.U32),
)
CALLER: Final = product(
    ("timestamp", sats.TIMESTAMP),
    ("caller_identity", sats.IDENTITY),
    ("caller_connection_id", sats.CONNECTION_ID),
    ("reducer_call", REDUCER_CALL),
    ("energy_quanta_used", product(("quanta", Primitive.U128))),
    ("total_host_execution_duration", sats.TIME_DURATION),
)
QUERY_ID: Final = product(("id", Primitive.U32))
APPLIED: Final = product(("request_id", Primitive.U32), ("query_id", QUERY_ID))
SUBSCRIPTION_ERROR: Final = product(
    ("request_id", option(Primitive.U32)),
    ("query_id", option(Primitive.U32)),
    ("error", Primitive.STRING),
)
QUERY_RESPONSE: Final = product(("message_id", sats.BYTES), ("error", option(Primitive.STRING)))


class V1Json:
    """Needs the schema: words alone do not say which type a number has."""

    subprotocol: str = "v1.json.spacetimedb"
    answers_all: bool = False

    def __init__(self, schema: Schema) -> None:
        self._types = schema.types
        self._rows = {each.name: Ref(each.row) for each in schema.tables}
        self._params = {each.name: each.params for each in schema.reducers}

    def decode(self, frame: Frame) -> list[Event]:
        try:
            message = json.loads(frame)
            if isinstance(message, dict) and len(message) == 1:
                [(name, content)] = message.items()
                return [self._event(name, content)]
        except OTHERWISE_FORMED as problem:
            raise DecodeError(f"JSON: {problem}") from problem
        raise DecodeError("JSON: a message is an object with one name")

    def _event(self, name: str, content: Any) -> Event:
        match name:
            case "IdentityToken":
                told = from_json(IDENTITY_TOKEN, (), content)
                return Connected(_identity(told), _connection(told), told["token"])
            case "SubscribeMultiApplied" | "UnsubscribeMultiApplied":
                told = from_json(APPLIED, (), content)
                make = SubscribeApplied if name[0] == "S" else UnsubscribeApplied
                updates = self._updates(content["update"])
                return make(told["request_id"], told["query_id"]["id"], updates)
            case "TransactionUpdate":
                return self._transaction(content)
            case "TransactionUpdateLight":
                return TransactionUpdate(self._updates(content["update"]))
            case "SubscriptionError":
                told = from_json(SUBSCRIPTION_ERROR, (), content)
                numbers = _optional(told["request_id"]), _optional(told["query_id"])
                return SubscriptionFailed(*numbers, told["error"])
            case "OneOffQueryResponse":
                return self._query_result(content)
        raise DecodeError(f"JSON: a message {name!r} is not known")

    def _transaction(self, content: Mapping[str, Any]) -> Event:
        told = from_json(CALLER, (), content)
        call = told["reducer_call"]
        [(status, detail)] = content["status"].items()
        outcome = {
            "Committed": Outcome.COMMITTED,
            "Failed": Outcome.FAILED,
            "OutOfEnergy": Outcome.OUT_OF_ENERGY,
        }[status]
        args = self._arguments(call["reducer_name"], content["reducer_call"]["args"])
        called = ReducerEvent(
            call["reducer_name"],
            _identity(told, "caller_identity"),
            _connection(told, "caller_connection_id"),
            Timestamp(_only(told["timestamp"])),
            args if outcome is Outcome.COMMITTED else b"",
            call["request_id"],
            call["reducer_id"] != UNKNOWN_REDUCER,
            outcome,
            str(detail) if outcome is Outcome.FAILED else "",
            told["energy_quanta_used"]["quanta"],
            _only(told["total_host_execution_duration"]),
        )
        updates = self._updates(detail) if outcome is Outcome.COMMITTED else ()
        return TransactionUpdate(updates, called)

    def _arguments(self, reducer: str, text: str) -> bytes:
        params = self._params.get(reducer)
        if params is None or not text:
            return b""
        try:
            return self._encoded(params, json.loads(text))
        except DecodeError:
            return b""  # what somebody else has called it with does not concern our rows

    def _encoded(self, type_: AlgebraicType, value: Any) -> bytes:
        return encode_plain(type_, self._types, from_json(type_, self._types, value))

    def _updates(self, update: Mapping[str, Any]) -> Updates:
        return tuple(
            TableUpdate(
                table["table_name"],
                self._row_list(table["table_name"], query["inserts"]),
                self._row_list(table["table_name"], query["deletes"]),
            )
            for table in update["tables"]
            for query in table["updates"]
        )

    def _row_list(self, table: str, rows: Iterable[str]) -> RowList:
        if table not in self._rows:
            raise DecodeError(f"rows of {table!r}, which the schema does not have")
        parts = [self._encoded(self._rows[table], json.loads(row)) for row in rows]
        *starts, _ = accumulate(map(len, parts), initial=0)
        return RowList(b"".join(parts), None, tuple(starts))

    def _query_result(self, content: Mapping[str, Any]) -> Event:
        told = from_json(QUERY_RESPONSE, (), content)
        tables = tuple(
            (each["table_name"], self._row_list(each["table_name"], each["rows"]))
            for each in content["tables"]
        )
        request_id = int.from_bytes(told["message_id"], "little")
        return QueryResult(request_id, tables, _optional(told["error"]))

    def call_reducer(self, request_id: int, reducer: str, args: bytes, is_awaited: bool) -> Frame:
        params = self._params[reducer]
        plain = decode_plain(params, self._types, args)
        words = json.dumps(to_json(params, self._types, plain))
        call = {"reducer": reducer, "args": words, "request_id": request_id}
        return json.dumps({"CallReducer": call | {"flags": 0 if is_awaited else 1}})

    def call_procedure(self, request_id: int, procedure: str, args: bytes) -> Frame:
        raise InvalidState("procedures are not called in JSON: connect without protocol='json'")

    def subscribe(self, request_id: int, query_id: int, queries: Sequence[str]) -> Frame:
        numbers = {"request_id": request_id, "query_id": {"id": query_id}}
        return json.dumps({"SubscribeMulti": {"query_strings": list(queries)} | numbers})

    def unsubscribe(self, request_id: int, query_id: int) -> Frame:
        numbers = {"request_id": request_id, "query_id": {"id": query_id}}
        return json.dumps({"UnsubscribeMulti": numbers})

    def one_off_query(self, request_id: int, query: str) -> Frame:
        message_id = request_id.to_bytes(4, "little").hex()
        return json.dumps({"OneOffQuery": {"message_id": message_id, "query_string": query}})


def _optional(value: Tagged) -> Any:
    return value.value if value.name == "some" else None


def _only(value: Mapping[str, Any]) -> Any:
    """What a product of one field holds."""
    [content] = value.values()
    return content


def _identity(told: Mapping[str, Any], field: str = "identity") -> Identity:
    return Identity(_only(told[field]))


def _connection(told: Mapping[str, Any], field: str = "connection_id") -> ConnectionId:
    return ConnectionId(_only(told[field]))
