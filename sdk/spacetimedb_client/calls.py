"""`conn.reducers.name(…)` and `conn.procedures.name(…)`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from spacetimedb_client.arguments import encoded_arguments, signature
from spacetimedb_client.bindings import Bindings, CallBinding
from spacetimedb_client.errors import (
    OutOfEnergy,
    ProcedureError,
    ReducerError,
    ReducerInternalError,
)
from spacetimedb_client.link import Link
from spacetimedb_client.protocol.messages import Outcome, ProcedureResult, ReducerResult


class Caller(Protocol):
    """What a call needs of its connection."""

    @property
    def bindings(self) -> Bindings: ...

    def check_thread(self) -> None: ...

    def live_link(self) -> Link: ...


class ReducerHandle:
    """Call it and await: it returns when committed, and our rows are up to date."""

    def __init__(self, caller: Caller, call: CallBinding) -> None:
        self._caller = caller
        self._call = call

    async def __call__(self, *args: Any, **named: Any) -> Any:
        caller, call = self._caller, self._call
        data = encoded_arguments(caller.bindings, call, args, named)
        caller.check_thread()
        link = caller.live_link()
        result = await link.ask(lambda talk: talk.call_reducer(call.name, data))
        return returned(call, result)

    def nowait(self, *args: Any, **named: Any) -> None:
        """Sends, and never tells what became of it."""
        data = encoded_arguments(self._caller.bindings, self._call, args, named)
        self._caller.check_thread()
        link = self._caller.live_link()
        link.check_room(len(data))
        link.talk.call_reducer(self._call.name, data, is_awaited=False)
        link.flush_soon(len(data))

    def __repr__(self) -> str:
        return f"<reducer {signature(self._call)}>"


class ProcedureHandle:
    """Call it and await its value; procedures are of servers from 2.0 on."""

    def __init__(self, caller: Caller, call: CallBinding) -> None:
        self._caller = caller
        self._call = call

    async def __call__(self, *args: Any, **named: Any) -> Any:
        caller, call = self._caller, self._call
        data = encoded_arguments(caller.bindings, call, args, named)
        caller.check_thread()
        link = caller.live_link()
        result: ProcedureResult = await link.ask(lambda talk: talk.call_procedure(call.name, data))
        if result.returned is None:
            raise ProcedureError(result.error, call.name)
        return call.ok.decode(result.returned) if call.ok else None

    def __repr__(self) -> str:
        return f"<procedure {signature(self._call)}>"


class Calls:
    """Everything of one kind that can be called, by name."""

    def __init__(self, what: str, names: Mapping[str, str], handles: Mapping[str, Any]) -> None:
        self._what: Final = what
        self._by_name: Final = handles
        for safe, name in names.items():
            setattr(self, safe, handles[name])

    def __getattr__(self, name: str) -> Any:
        known = ", ".join(self._by_name) or "none"
        raise AttributeError(f"no {self._what} {name!r}; there is {known}")

    def __getitem__(self, name: str) -> Any:
        """By the server's name."""
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)


def returned(call: CallBinding, result: ReducerResult) -> Any:
    """What the reducer returned, or its error."""
    match result.outcome:
        case Outcome.COMMITTED:
            return call.ok.decode(result.returned) if call.ok and result.returned else None
        case Outcome.OUT_OF_ENERGY:
            raise OutOfEnergy("the reducer took more time than it may", call.name)
        case Outcome.INTERNAL_ERROR:
            raise ReducerInternalError(result.message, call.name)
    if result.error is None:
        raise ReducerError(result.message, call.name)
    value = call.err.decode(result.error) if call.err else result.error
    raise ReducerError(value if isinstance(value, str) else repr(value), call.name, value)
