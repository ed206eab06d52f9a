"""Server ⇄ Node host: the messages in both directions, with the limits of every field.

Golden examples: tests/vectors/host_messages.json. Lengths are in code points. A message that is
longer than its limit here ends the process, so the host cuts before it sends.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchglass_server.fields import PathStep
from watchglass_server.frames import MAX_REQUEST_ID

MAX_CHANGES = 500
MAX_CHILDREN = 1000
MAX_WINDOWS = 1000
MAX_WATCHES = 50
MAX_TEXT = 64 * 2**10
MAX_LAST_WORD = 4000
MAX_DUMP_BYTES = 256 * 2**20
MAX_PIP_WORDS = 200

RequestId = Annotated[int, Meta(ge=1, le=MAX_REQUEST_ID)]
Origin = Annotated[int, Meta(ge=0, le=MAX_REQUEST_ID)]  # 0: no execution
Count = Annotated[int, Meta(ge=0, le=2**53)]
Line = Annotated[int, Meta(ge=1, le=2**31)] | None
Word = Annotated[str, Meta(max_length=1000)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
LongText = Annotated[str, Meta(max_length=2**20)]
Preview = Annotated[str, Meta(max_length=200)]
# Keys are MIME types, values text or JSON: they are passed on, never looked into.
MimeBundle = Annotated[dict[Annotated[str, Meta(max_length=200)], Any], Meta(max_length=50)]


class ToHost(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """What the server says."""


class Execute(ToHost, frozen=True, tag="execute"):
    """Run code in the namespace."""

    request_id: RequestId
    number: int
    code: str
    store_history: bool = True


class Interrupt(ToHost, frozen=True, tag="interrupt"):
    """Raise KeyboardInterrupt in an execution; resent with a higher attempt until acknowledged."""

    request_id: RequestId
    attempt: int


class InputReply(ToHost, frozen=True, tag="input_reply", omit_defaults=True):
    """Answer an input_request: a text without its newline, or the end of the input."""

    request: int
    text: str | None = None
    eof: bool = False


class Query(ToHost, frozen=True, tag="query"):
    """Ask for something; exactly one reply follows."""

    request_id: RequestId
    op: str
    args: dict[str, Any]


class Configure(ToHost, frozen=True, tag="configure"):
    """Change the settings of the process."""

    poll_ms: int
    output_bytes: int
    variables: int


class FromHost(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """What the host says."""


class Ready(FromHost, frozen=True, tag="ready"):
    """The interpreter waits for its first execution."""

    pyodide: Word
    python: Word
    node: Word
    rung: Word
    image: bool
    memory_bytes: Count


class Stream(FromHost, frozen=True, tag="stream"):
    """Printed text; many small writes come as one."""

    request_id: Origin
    name: Literal["stdout", "stderr"]
    text: Text


class StreamDropped(FromHost, frozen=True, tag="stream_dropped"):
    """Output past the limit of bytes: how much of this execution's was thrown away so far."""

    request_id: Origin
    dropped_bytes: Count


class DisplayData(FromHost, frozen=True, tag="display_data"):
    """Rich output."""

    request_id: Origin
    bundle: MimeBundle
    display_id: Word | None


class UpdateDisplayData(FromHost, frozen=True, tag="update_display_data"):
    """New content for the rich output of that display id."""

    request_id: Origin
    bundle: MimeBundle
    display_id: Word | None


class ExecuteResult(FromHost, frozen=True, tag="execute_result"):
    """The value of the last expression."""

    request_id: RequestId
    bundle: MimeBundle


class Error(FromHost, frozen=True, tag="error"):
    """An exception that ended an execution, or one of its tasks."""

    request_id: Origin
    name: Word
    message: LongText
    traceback: Annotated[list[LongText], Meta(max_length=10_000)]
    line: Line


class InputRequest(FromHost, frozen=True, tag="input_request"):
    """The code waits for a line of input."""

    request_id: Origin
    request: Count
    prompt: LongText
    password: bool


class InputCancelled(FromHost, frozen=True, tag="input_cancelled"):
    """The code no longer waits for that input."""

    request_id: Origin
    request: Count


class PackageRequest(FromHost, frozen=True, tag="package_request"):
    """The code has a line `%pip …`, and waits for what comes of it."""

    request_id: RequestId
    request: Count
    words: Annotated[list[Word], Meta(max_length=MAX_PIP_WORDS)]


class PackageCancelled(FromHost, frozen=True, tag="package_cancelled"):
    """The code no longer waits for that."""

    request_id: RequestId
    request: Count


class Variable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is told of a name in the namespace: docs/protocol.md, "A variable"."""

    name: Word
    type: Word
    module: Word | None
    preview: Preview
    length: Count | None
    size_bytes: Count | None
    shape: Annotated[list[Count], Meta(max_length=100)] | None
    dtype: Word | None
    expandable: bool
    settable: bool
    version: Count
    value: Any
    hidden: bool = False
    truncated: bool = False


class Change(msgspec.Struct, frozen=True, tag_field="op", forbid_unknown_fields=True):
    """One change of the namespace, and the execution that made it."""

    name: Word
    line: Line
    request_id: Origin


class SetChange(Change, frozen=True, tag="set", kw_only=True):
    """A name got a value, or its value changed in place."""

    variable: Variable


class DeleteChange(Change, frozen=True, tag="delete"):
    """A name is gone."""


class VariablesChanged(FromHost, frozen=True, tag="variables"):
    """Changes of the namespace since the last such message."""

    request_id: Origin
    running: bool
    changes: Annotated[list[SetChange | DeleteChange], Meta(max_length=MAX_CHANGES)]
    left_out: Count = 0  # variables beyond Configure.variables, which are never told


class LiveChild(Variable, frozen=True, kw_only=True):
    """One row of a window."""

    key: Word | PathStep
    label: Word


class LiveWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of an expanded value that somebody has open; `total` null: it is gone."""

    window: Count
    total: Count | None
    version: Count
    children: Annotated[list[LiveChild], Meta(max_length=MAX_CHILDREN)]


class LiveLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The line that runs; `calls` is the line of the running execution that leads there."""

    number: Count
    line: Annotated[int, Meta(ge=1, le=2**31)]
    function: Word | None
    calls: Line = None


class Live(FromHost, frozen=True, tag="live"):
    """A picture of now, for those who look: it is not part of the record."""

    changes: Annotated[list[SetChange | DeleteChange], Meta(max_length=MAX_CHANGES)]
    windows: Annotated[list[LiveWindow], Meta(max_length=MAX_WINDOWS)]
    line: LiveLine | None


class WatchValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the expression of a watch gives, or why it gives nothing."""

    watch: Annotated[str, Meta(max_length=64)]
    variable: Variable | None
    error: Word | None
    met: bool | None  # whether its condition holds; None: it has none, or that failed
    condition_error: Word | None


class WatchesChanged(FromHost, frozen=True, tag="watches"):
    """The watches that give something else than last time, and the line that ran just then."""

    request_id: Origin
    line: Line
    watches: Annotated[list[WatchValue], Meta(max_length=MAX_WATCHES)]


class DumpEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a dump holds of one name, or why it does not."""

    name: Word
    stored: bool
    why: Word | None
    kind: Literal["value", "definition", "module"]
    resource: bool = False  # an open file or socket: running the code again is no way back


class DumpedMessage(FromHost, frozen=True, tag="dumped"):
    """The namespace after an execution; its bytes came in chunks before."""

    number: Count
    request_id: Origin
    bytes: Annotated[int, Meta(ge=0, le=MAX_DUMP_BYTES)]
    variables: Annotated[list[DumpEntry], Meta(max_length=200_000)]


class Finished(FromHost, frozen=True, tag="finished"):
    """The running execution ended."""

    request_id: RequestId
    status: Literal["ok", "error", "interrupted"]
    duration_ms: Annotated[float, Meta(ge=0)]
    memory_bytes: Count


class InterruptAck(FromHost, frozen=True, tag="interrupt_ack"):
    """KeyboardInterrupt was delivered, or nothing of that id runs."""

    request_id: RequestId
    attempt: Count


class ReplyMessage(FromHost, frozen=True, tag="reply"):
    """The answer to a query: a result, or an error with code, message and hint."""

    request_id: RequestId
    ok: bool
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class ReplyError(msgspec.Struct, frozen=True):
    """The fields that every error of a reply has; `conflict` has "variable" beside them."""

    code: Word
    message: LongText
    hint: LongText = ""


class Fatal(FromHost, frozen=True, tag="fatal"):
    """The interpreter is lost; the process ends after this."""

    cause: Literal["memory", "stack", "fatal"]
    message: Annotated[str, Meta(max_length=MAX_LAST_WORD)]


WireMessage = (
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
    | DumpedMessage
    | Finished
    | InterruptAck
    | ReplyMessage
    | Fatal
)
Command = Execute | Interrupt | InputReply | Query | Configure
