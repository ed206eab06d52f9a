"""Client ⇄ server: what may be said next, and what an answer answers. No I/O here."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from spacetimedb_bsatn import ConnectionId, DecodeError
from spacetimedb_client.errors import (
    InvalidState,
    MessageTooLarge,
    ProtocolError,
    TooManyInFlight,
)
from spacetimedb_client.protocol.dialect import Dialect, Frame
from spacetimedb_client.protocol.messages import (
    Connected,
    Event,
    Outcome,
    ProcedureResult,
    QueryResult,
    ReducerEvent,
    ReducerResult,
    SubscribeApplied,
    SubscriptionFailed,
    TransactionUpdate,
    UnsubscribeApplied,
)

MAX_MESSAGE_BYTES: Final = 0x2000000  # the server ends a connection that sends more at once
MAX_IN_FLIGHT: Final = 8192  # a server of 2.8 ends a connection with more than 16,384
LAST_ID: Final = 2**32 - 1
CRASHED: Final = "The Wasm instance encountered a fatal error"
NO_REDUCER: Final = "<none>"  # the server's word where it refuses a message that is no call


class State(enum.Enum):
    """Where the conversation stands."""

    STARTING = "starting"
    OPEN = "open"
    BROKEN = "broken"


class SubscriptionState(enum.Enum):
    ASKED = "asked"
    APPLIED = "applied"
    ENDING = "ending"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is owed an answer."""

    name: str
    is_awaited: bool


class Conversation:
    """Numbers what is asked, and finds for each answer what it answers."""

    def __init__(self, dialect: Dialect, *, max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self.dialect: Final = dialect
        self.state = State.STARTING
        self.connection_id: ConnectionId | None = None
        self._max_in_flight = max_in_flight
        self._outgoing: list[Frame] = []
        self._last_id = 0
        self._calls: dict[int, Call] = {}
        self._queries: set[int] = set()
        self._procedures: set[int] = set()
        self._subscriptions: dict[int, SubscriptionState] = {}

    @property
    def in_flight(self) -> int:
        """How many questions are owed an answer."""
        return len(self._calls) + len(self._queries) + len(self._procedures)

    @property
    def has_room(self) -> bool:
        return self.in_flight < self._max_in_flight

    def data_to_send(self) -> list[Frame]:
        """Frames that are due, in order."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def call_reducer(self, reducer: str, args: bytes, *, is_awaited: bool = True) -> int:
        request_id = self._new_id()
        self._send(self.dialect.call_reducer(request_id, reducer, args, is_awaited))
        if is_awaited or self.dialect.answers_all:
            self._calls[request_id] = Call(reducer, is_awaited)
        return request_id

    def call_procedure(self, procedure: str, args: bytes) -> int:
        request_id = self._new_id()
        self._send(self.dialect.call_procedure(request_id, procedure, args))
        self._procedures.add(request_id)
        return request_id

    def one_off_query(self, query: str) -> int:
        request_id = self._new_id()
        self._send(self.dialect.one_off_query(request_id, query))
        self._queries.add(request_id)
        return request_id

    def subscribe(self, queries: Sequence[str]) -> int:
        """The query id; it is never used twice, as the server would refuse it."""
        query_id = self._new_id()
        self._send(self.dialect.subscribe(query_id, query_id, queries))
        self._subscriptions[query_id] = SubscriptionState.ASKED
        return query_id

    def unsubscribe(self, query_id: int) -> bool:
        """Whether there was something to end; it may not even be applied yet."""
        state = self._subscriptions.get(query_id)
        if state is None or state is SubscriptionState.ENDING:
            return False
        self._send(self.dialect.unsubscribe(self._new_id(), query_id))
        self._subscriptions[query_id] = SubscriptionState.ENDING
        return True

    def _new_id(self) -> int:
        if self.state is not State.OPEN:
            raise InvalidState(f"the connection is {self.state.value}")
        if not self.has_room:
            raise TooManyInFlight(
                f"{self._max_in_flight} questions wait for an answer: await some of them first"
            )
        # Never 0: the server uses that where it does not know which call failed.
        self._last_id = self._last_id % LAST_ID + 1
        return self._last_id

    def _send(self, frame: Frame) -> None:
        size = len(frame) if isinstance(frame, bytes) else len(frame.encode())
        if size > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(
                f"a message of {size} bytes, and the server reads {MAX_MESSAGE_BYTES}: send less"
            )
        self._outgoing.append(frame)

    def receive_data(self, frame: Frame) -> list[Event]:
        """What a frame tells; after an error nothing more is taken."""
        if self.state is State.BROKEN:
            raise InvalidState("the connection is broken")
        try:
            return [self._understood(event) for event in self.dialect.decode(frame)]
        except (DecodeError, RecursionError) as problem:
            self.state = State.BROKEN
            raise ProtocolError(f"the server sent what cannot be read: {problem}") from problem
        except ProtocolError:
            self.state = State.BROKEN
            raise

    def _understood(self, event: Event) -> Event:
        if (self.state is State.STARTING) != isinstance(event, Connected):
            raise ProtocolError(f"{type(event).__name__} while {self.state.value}")
        match event:
            case Connected():
                self.state = State.OPEN
                self.connection_id = event.connection_id
            case TransactionUpdate():
                return self._answered(event)
            case SubscribeApplied():
                self._applied(event)
            case UnsubscribeApplied():
                self._subscriptions.pop(event.query_id, None)
            case SubscriptionFailed():
                return self._failed(event)
            case QueryResult():
                self._settle(self._queries, event.request_id, "query")
            case ProcedureResult():
                self._settle(self._procedures, event.request_id, "procedure")
        return event

    def _applied(self, event: SubscribeApplied) -> None:
        state = self._subscriptions.get(event.query_id)
        if state is None or state is SubscriptionState.APPLIED:
            raise ProtocolError(f"subscription {event.query_id} applied, which was not asked for")
        if state is SubscriptionState.ASKED:
            self._subscriptions[event.query_id] = SubscriptionState.APPLIED

    def _failed(self, event: SubscriptionFailed) -> SubscriptionFailed:
        """Found by either id: an unsubscription has a request id of its own."""
        query_id = event.query_id
        if query_id is None and event.request_id in self._subscriptions:
            query_id = event.request_id
        if query_id is None:
            self._subscriptions.clear()
        else:
            self._subscriptions.pop(query_id, None)
        return replace(event, query_id=query_id)

    @staticmethod
    def _settle(waiting: set[int], request_id: int, what: str) -> None:
        if request_id not in waiting:
            raise ProtocolError(f"the answer to {what} {request_id}, which was not asked")
        waiting.discard(request_id)

    def _answered(self, event: TransactionUpdate) -> TransactionUpdate:
        if event.result is not None:
            if self._calls.pop(event.result.request_id, None) is None:
                raise ProtocolError(f"the answer to call {event.result.request_id}, not made")
            return event
        called = event.reducer
        if called is None or called.connection_id != self.connection_id:
            return event
        return TransactionUpdate(event.updates, called, self._result_of_v1(called))

    def _result_of_v1(self, called: ReducerEvent) -> ReducerResult | None:
        """The answer to our call that a transaction is; None for calls that wait for none."""
        request_id = called.request_id or self._oldest_call_of(called.reducer)
        if self._calls.pop(request_id, None) is None:
            if called.reducer == NO_REDUCER:
                raise ProtocolError(f"the server refused a message of ours: {called.message}")
            return None
        outcome = Outcome.INTERNAL_ERROR if is_internal(called) else called.outcome
        return ReducerResult(request_id, outcome, called.message, timestamp=called.timestamp)

    def _oldest_call_of(self, reducer: str) -> int:
        """A call that failed comes without its number, but the server answers in order."""
        for request_id, call in self._calls.items():
            if call.name == reducer:
                return request_id
        return 0


def is_internal(called: ReducerEvent) -> bool:
    """Whether a reducer failed without deciding so: v1 tells it only by the words."""
    if called.outcome is not Outcome.FAILED:
        return False
    bad_arguments = f"invalid arguments for reducer {called.reducer}"
    return not called.is_known or called.message.startswith((CRASHED, bad_arguments))
