"""Server ⇄ Node host: what one Node process may say next. No I/O here."""

import enum
from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from watchglass_server.allowance import Allowance
from watchglass_server.errors import InvalidState, PeerError, QueryError
from watchglass_server.exit_info import printable
from watchglass_server.frames import (
    MAX_CHUNK_BYTES,
    UNASKED_DUMP_ID,
    Blob,
    Frame,
    FrameError,
    FrameReader,
    Message,
    encode_blob,
    encode_message,
)
from watchglass_server.host_messages import (
    MAX_DUMP_BYTES,
    Command,
    Configure,
    DeleteChange,
    DisplayData,
    DumpedMessage,
    DumpEntry,
    Error,
    Execute,
    ExecuteResult,
    Fatal,
    Finished,
    InputCancelled,
    InputReply,
    InputRequest,
    Interrupt,
    InterruptAck,
    Live,
    PackageCancelled,
    PackageRequest,
    Query,
    Ready,
    ReplyError,
    ReplyMessage,
    SetChange,
    Stream,
    StreamDropped,
    UpdateDisplayData,
    VariablesChanged,
    WatchesChanged,
    WireMessage,
)

__all__ = [
    "Dumped",
    "HostEvent",
    "HostProtocol",
    "HostProtocolError",
    "HostState",
    "Reply",
    "in_ascii",
]

FIRST_QUERY: Final = 2**31 - 1  # below it are the ids of executions, which the caller chooses
MAX_QUERIES: Final = 1000
MAX_INPUT_REQUESTS: Final = 1000


class HostState(enum.Enum):
    """Where the conversation stands."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    BROKEN = "broken"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Dumped:
    """A whole, consistent picture of the namespace after execution `number`."""

    number: int
    request_id: int
    data: bytes = field(repr=False)
    entries: Sequence[DumpEntry] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a query."""

    request_id: int
    result: Mapping[str, Any] | QueryError


HostEvent = (
    Ready
    | Stream
    | StreamDropped
    | DisplayData
    | UpdateDisplayData
    | ExecuteResult
    | Error
    | InputRequest
    | InputCancelled
    | PackageRequest
    | PackageCancelled
    | VariablesChanged
    | Live
    | WatchesChanged
    | Dumped
    | Finished
    | InterruptAck
    | Reply
    | Fatal
)


class HostProtocolError(PeerError):
    """The process spoke out of turn. Kill it; never resynchronise."""

    def __init__(self, message: str, events: Sequence[HostEvent] = ()) -> None:
        super().__init__(message)
        self.events = events  # what it said before, in its turn


class HostProtocol:
    """One conversation with one Node process: bytes in, events out; calls in, bytes out."""

    def __init__(self, output_bytes: int) -> None:
        """`output_bytes`: what the host keeps of what one execution prints."""
        self.state = HostState.STARTING
        self.running: int | None = None
        self._reader = FrameReader()
        self._executed = array("Q")  # ascending, so that a million of them stay small
        self._has_result = False
        self._queries: set[int] = set()
        self._last_query = FIRST_QUERY
        self._interrupts: dict[int, int] = {}
        self._input_requests: dict[int, int] = {}
        self._dump = bytearray()
        self._allowance = Allowance(output_bytes)

    @property
    def held_bytes(self) -> int:
        """How much of a dump is here that is not whole yet."""
        return len(self._dump)

    # --- what we say

    def execute(self, request_id: int, number: int, code: str, *, store_history: bool) -> bytes:
        """Return the bytes that start an execution."""
        if self.state is not HostState.IDLE:
            raise InvalidState(f"execute while {self.state.value}; wait until it is idle")
        if not (self._executed[-1] if self._executed else 0) < request_id < FIRST_QUERY:
            raise InvalidState(f"execute with request id {request_id}; ids must grow")
        data = _encode(Execute(request_id, number, code, store_history))
        self._executed.append(request_id)
        self._allowance.executes()
        self.running, self.state, self._has_result = request_id, HostState.BUSY, False
        return data

    def interrupt(self, request_id: int, attempt: int) -> bytes:
        """Return the bytes that ask for a KeyboardInterrupt in that execution."""
        self._must_be_open("interrupt")
        if not self._is_known(request_id):
            raise InvalidState(f"interrupt of {request_id}, which was never executed here")
        self._interrupts[request_id] = max(attempt, self._interrupts.get(request_id, 0))
        return _encode(Interrupt(request_id, attempt))

    def reply_input(self, request: int, text: str | None) -> bytes | None:
        """Return the bytes that answer an input request; None when nobody waits for it any more."""
        self._must_be_open("input reply")
        if self._input_requests.pop(request, None) is None:
            return None
        return _encode(InputReply(request, text, eof=text is None))

    def query(
        self, op: str, args: Mapping[str, Any], blob: bytes | None = None
    ) -> tuple[int, list[bytes]]:
        """Return the id of a query and its frames, chunks first."""
        self._must_be_open("query")
        if len(self._queries) >= MAX_QUERIES:
            raise InvalidState(f"{MAX_QUERIES} queries are waiting; wait for some of their replies")
        request_id = FIRST_QUERY + (self._last_query - FIRST_QUERY + 1) % FIRST_QUERY
        chunks = [
            encode_blob(request_id, blob[start : start + MAX_CHUNK_BYTES])
            for start in range(0, len(blob or b""), MAX_CHUNK_BYTES)
            if blob
        ]
        frames = [*chunks, _encode(Query(request_id, op, dict(args)))]
        self._last_query = request_id
        self._queries.add(request_id)
        return request_id, frames

    def configure(self, *, poll_ms: int, output_bytes: int, variables: int) -> bytes:
        """Return the bytes that change the settings of the process."""
        self._must_be_open("configure")
        self._allowance.allow_output(output_bytes)
        return _encode(Configure(poll_ms, output_bytes, variables))

    # --- what it says

    def receive_data(self, data: bytes, clock: float = 0.0) -> list[HostEvent]:
        """Take the next bytes, at this time, and return the events that are whole now.

        Raises HostProtocolError, which carries the events before; there is no next call then.
        """
        if self.state is HostState.CLOSED:
            raise InvalidState("data after its end")
        if self.state is HostState.BROKEN:  # after its last word nothing is heard
            return []
        broken: FrameError | None = None
        try:
            frames: Sequence[Frame] = self._reader.receive_data(data)
        except FrameError as error:
            frames, broken = error.received, error
        events: list[HostEvent] = []
        try:
            for frame, size in zip(frames, self._reader.sizes, strict=True):
                events += self._receive(frame, size, clock)
            if broken and not self._has_said_its_last():
                raise broken
        except (ValueError, RecursionError, FrameError) as error:
            self.state = HostState.BROKEN
            raise HostProtocolError(in_ascii(str(error)), events) from error
        return events

    def receive_eof(self) -> None:
        """Take note that nothing more will come."""
        if self.state is not HostState.BROKEN:
            self.state = HostState.CLOSED

    def _receive(self, frame: Frame, size: int, clock: float) -> list[HostEvent]:
        if self.state is HostState.BROKEN:
            return []
        if isinstance(frame, Blob):
            self._allowance.chunk(size, clock)
            return self._receive_chunk(frame)
        self._allowance.message(frame["type"], size, clock)
        message = _typed(frame)
        if self.state is HostState.STARTING and not isinstance(message, Ready | Fatal):
            raise ValueError(f"{_type_of(message)} before ready")
        return [self._receive_message(message)]

    def _receive_chunk(self, blob: Blob) -> list[HostEvent]:
        if self.state is HostState.STARTING:
            raise ValueError("a chunk before ready")
        if blob.request_id != UNASKED_DUMP_ID:
            raise ValueError(f"a chunk for {blob.request_id}, which expects none")
        # Chunks are no events, whose number holds the process up: so there are few of them.
        if not blob.data:
            raise ValueError("a chunk that holds nothing")
        if len(self._dump) % MAX_CHUNK_BYTES:
            raise ValueError("a chunk behind one that was not full, and so the last")
        if len(self._dump) + len(blob.data) > MAX_DUMP_BYTES:
            raise ValueError(f"a dump of more than {MAX_DUMP_BYTES} bytes")
        self._dump += blob.data
        return []

    def _receive_message(self, message: WireMessage) -> HostEvent:
        receive = _RECEIVE.get(type(message))
        if receive is not None:
            return receive(self, message)
        self._check_origin(message)
        assert not isinstance(message, DumpedMessage | ReplyMessage)
        return message

    def _check_origin(self, message: Any) -> None:
        if message.request_id and not self._is_known(message.request_id):
            raise ValueError(f"{_type_of(message)} of {message.request_id}, never executed here")

    def _receive_ready(self, message: Ready) -> HostEvent:
        if self.state is not HostState.STARTING:
            raise ValueError(f"ready while {self.state.value}")
        self.state = HostState.IDLE
        return message

    def _receive_stream(self, message: Stream) -> HostEvent:
        self._check_origin(message)
        self._allowance.prints(self._place(message.request_id), len(message.text))
        return message

    def _receive_result(self, message: ExecuteResult) -> HostEvent:
        if message.request_id != self.running:
            raise ValueError(f"execute_result of {message.request_id}, which does not run")
        if self._has_result:
            raise ValueError(f"a second execute_result of {message.request_id}")
        self._has_result = True
        return message

    def _receive_finished(self, message: Finished) -> HostEvent:
        if message.request_id != self.running:
            raise ValueError(f"finished of {message.request_id}, which does not run")
        self.running, self.state = None, HostState.IDLE
        return message

    def _receive_variables(self, message: VariablesChanged) -> HostEvent:
        self._check_origin(message)
        self._check_changes(message.changes)
        return message

    def _receive_live(self, message: Live) -> HostEvent:
        self._check_changes(message.changes)
        return message

    def _check_changes(self, changes: Sequence[SetChange | DeleteChange]) -> None:
        for change in changes:
            self._check_origin(change)
            if isinstance(change, SetChange) and change.variable.name != change.name:
                raise ValueError(f"a change of {change.name!r} that shows {change.variable.name!r}")

    def _receive_input_request(self, message: InputRequest) -> HostEvent:
        self._check_origin(message)
        if message.request in self._input_requests:
            raise ValueError(f"input_request {message.request} twice")
        if len(self._input_requests) >= MAX_INPUT_REQUESTS:
            raise ValueError(f"more than {MAX_INPUT_REQUESTS} input requests at once")
        self._input_requests[message.request] = message.request_id
        return message

    def _receive_input_cancelled(self, message: InputCancelled) -> HostEvent:
        # Our answer may have crossed this message, so an unknown request is no fault.
        self._check_origin(message)
        self._input_requests.pop(message.request, None)
        return message

    def _receive_ack(self, message: InterruptAck) -> HostEvent:
        if message.attempt > self._interrupts.get(message.request_id, -1):
            raise ValueError(f"interrupt_ack of {message.request_id} that nobody interrupted")
        return message

    def _receive_dumped(self, message: DumpedMessage) -> HostEvent:
        self._check_origin(message)
        if message.bytes != len(self._dump):
            raise ValueError(f"dumped says {message.bytes} bytes after {len(self._dump)}")
        data, self._dump = bytes(self._dump), bytearray()
        return Dumped(message.number, message.request_id, data, message.variables)

    def _receive_reply(self, message: ReplyMessage) -> HostEvent:
        if message.request_id not in self._queries:
            raise ValueError(f"reply to {message.request_id}, which nobody asked")
        self._queries.remove(message.request_id)
        return Reply(message.request_id, _outcome(message))

    def _receive_fatal(self, message: Fatal) -> HostEvent:
        self.state = HostState.BROKEN
        return message

    # --- what holds

    def _has_said_its_last(self) -> bool:
        return self.state is HostState.BROKEN

    def _is_known(self, request_id: int) -> bool:
        place = bisect_left(self._executed, request_id)
        return place < len(self._executed) and self._executed[place] == request_id

    def _place(self, request_id: int) -> int:
        """Which of our executions it is, 1 for the first; 0 for none."""
        return bisect_left(self._executed, request_id) + 1 if request_id else 0

    def _must_be_open(self, what: str) -> None:
        if self.state not in (HostState.IDLE, HostState.BUSY):
            raise InvalidState(f"{what} while {self.state.value}")


_RECEIVE: dict[type, Callable[[HostProtocol, Any], HostEvent]] = {
    Ready: HostProtocol._receive_ready,
    Stream: HostProtocol._receive_stream,
    ExecuteResult: HostProtocol._receive_result,
    Finished: HostProtocol._receive_finished,
    VariablesChanged: HostProtocol._receive_variables,
    Live: HostProtocol._receive_live,
    InputRequest: HostProtocol._receive_input_request,
    InputCancelled: HostProtocol._receive_input_cancelled,
    InterruptAck: HostProtocol._receive_ack,
    DumpedMessage: HostProtocol._receive_dumped,
    ReplyMessage: HostProtocol._receive_reply,
    Fatal: HostProtocol._receive_fatal,
}


def _encode(command: Command) -> bytes:
    message: Message = msgspec.to_builtins(command)
    if isinstance(command, Query):
        message["args"] = command.args  # as it is: to_builtins would refuse lone surrogates
    return encode_message(message)


def _typed(message: Message) -> WireMessage:
    try:
        typed: WireMessage = msgspec.convert(message, WireMessage)
    except ValueError as error:
        raise ValueError(f"{message['type'][:40]!r}: {error}") from error
    return typed


def _type_of(message: WireMessage) -> str:
    return str(message.__struct_config__.tag)


def _outcome(message: ReplyMessage) -> Mapping[str, Any] | QueryError:
    if message.ok and message.result is not None and message.error is None:
        return message.result
    if message.ok or message.error is None or message.result is not None:
        raise ValueError(f"reply to {message.request_id} fits neither ok nor error")
    error = msgspec.convert(message.error, ReplyError)
    detail = {k: v for k, v in message.error.items() if k not in ("code", "message", "hint")}
    return QueryError(error.code, error.message, error.hint, detail)


def in_ascii(text: str) -> str:
    """Return the text without what a log or a terminal could choke on."""
    return printable(text[:500]).encode("ascii", "backslashreplace").decode("ascii")
