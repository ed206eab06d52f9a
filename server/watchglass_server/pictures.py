"""What a client knows of a session: variables, executions with their outputs, people, process."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from watchglass_server.fields import (
    ExecutionField,
    ExecutionStatus,
    MimeBundle,
    MirrorStatus,
    PathElement,
    ProcessStatus,
    ReloadMode,
    ResetReason,
    Role,
    ScriptKind,
    Seq,
    StreamName,
    Timestamp,
    Verdict,
    WatchField,
)


class Variable(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is told of a variable; never made by running the user's code."""

    name: str
    type: str
    module: str | None
    preview: Annotated[str, Meta(description="At most 200 characters.")]
    length: int | None
    size_bytes: int | None
    shape: list[int] | None
    dtype: str | None
    expandable: bool
    settable: bool
    version: Annotated[int, Meta(description="Grows with every change of this variable.")]
    value: Annotated[
        Any, Meta(description="The exact value as tagged JSON where it fits in 8 KiB, or null.")
    ]
    hidden: Annotated[
        bool, Meta(description="True for modules and names that begin with `_`; else left out.")
    ] = False
    truncated: Annotated[
        bool,
        Meta(
            description="True when it holds more, or deeper, than is looked at for changes; "
            "else left out."
        ),
    ] = False


class WatchAlert(Struct, frozen=True, kw_only=True):
    """When the condition of a watch last turned true."""

    time: Timestamp
    execution: str | None
    line: Annotated[int | None, Meta(description="The line that ran just then.")]


class Watch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An expression that is followed, and what it gives now; neither value nor error: not yet."""

    watch: WatchField
    expression: str
    condition: str | None = None
    variable: Annotated[
        Variable | None, Meta(description="Its `value` only where it fits in 1 KiB.")
    ] = None
    error: Annotated[str | None, Meta(description="Why it gives no value.")] = None
    met: Annotated[bool | None, Meta(description="Whether the condition holds.")] = None
    condition_error: str | None = None
    alert: WatchAlert | None = None
    version: Annotated[int, Meta(description="Grows with every change of this watch.")] = 0
    suspended: Annotated[
        bool, Meta(description="Not evaluated until it is added again: a process ended over it.")
    ] = False


class Child(Struct, frozen=True, kw_only=True):
    """One part of an expanded value."""

    key: Annotated[PathElement, Meta(description="What to append to the path.")]
    label: str
    variable: Variable


class Binding(Struct, frozen=True, kw_only=True):
    """A variable that follows a row of a SpacetimeDB table, and writes it."""

    name: Annotated[str, Meta(description="Of the variable.")]
    table: Annotated[str, Meta(description="`DATABASE/TABLE`.")]
    key: Annotated[Any, Meta(description="The row's primary key.")]
    column: Annotated[str | None, Meta(description="Null: the variable is a dict of all.")]
    follows: Annotated[str, Meta(description="The same for people: `arena/unit[3].hp`.")]


class StreamPart(Struct, frozen=True, kw_only=True):
    """A piece of printed text."""

    name: StreamName
    text: str


class StreamOutput(Struct, frozen=True, kw_only=True, tag_field="type", tag="stream"):
    """Printed text; neighbouring pieces of one stream are one output."""

    name: StreamName
    text: str


class TruncatedOutput(Struct, frozen=True, kw_only=True, tag_field="type", tag="stream.truncated"):
    """Where the printed text was cut: `output.read` has all of it."""

    dropped_bytes: int
    tail: list[StreamPart]
    lost_bytes: int = 0
    dropped_displays: int = 0


class DisplayOutput(Struct, frozen=True, kw_only=True, tag_field="type", tag="display_data"):
    """Something displayed; an update replaces the bundle."""

    bundle: MimeBundle
    display_id: str | None


class ResultOutput(Struct, frozen=True, kw_only=True, tag_field="type", tag="execute_result"):
    """The value of the last expression."""

    number: int
    bundle: MimeBundle


class ErrorOutput(Struct, frozen=True, kw_only=True, tag_field="type", tag="error"):
    """An exception, without our own frames."""

    name: str
    message: str
    traceback: list[str]
    line: int | None


class InputOutput(Struct, frozen=True, kw_only=True, tag_field="type", tag="input"):
    """A question of `input()` and what was answered (null: open, cancelled, or a password)."""

    request: int
    prompt: str
    password: bool
    text: str | None
    state: Annotated[str, Meta(description="waiting, answered or cancelled")]


class OmittedOutput(Struct, frozen=True, kw_only=True, tag_field="type", tag="omitted"):
    """Outputs left out of this answer for its size."""

    outputs: int
    bytes: int
    hint: str


Output = (
    StreamOutput
    | TruncatedOutput
    | DisplayOutput
    | ResultOutput
    | ErrorOutput
    | InputOutput
    | OmittedOutput
)


class ScriptRun(Struct, frozen=True, kw_only=True):
    """The file of the watched folder that an execution loads."""

    path: str
    version: str
    kind: ScriptKind
    reload: ReloadMode


class Execution(Struct, frozen=True, kw_only=True):
    """One piece of code that somebody ran, and what came of it."""

    execution: ExecutionField
    number: int
    code: str
    author: str | None
    status: ExecutionStatus
    queued_at: Timestamp
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    duration_ms: float | None = None
    outputs: list[Output] = []
    script: Annotated[
        ScriptRun | UnsetType, Meta(description="When it loads a file of the watched folder.")
    ] = UNSET


class Participant(Struct, frozen=True, kw_only=True):
    """One connection in a session."""

    participant: str
    name: str
    role: Role


class ExitInfo(Struct, frozen=True, kw_only=True):
    """How a process ended, in words a person can use."""

    code: int | None
    cause: str
    message: str


class ProcessState(Struct, frozen=True, kw_only=True):
    """The session's process as far as clients see it."""

    state: ProcessStatus
    reason: str | None = None
    exit: ExitInfo | None = None
    memory_bytes: int | None = None
    watcher: Annotated[
        str | None,
        Meta(description="How stores into variables are noticed; null: no process."),
    ] = None
    grace_s: Annotated[
        float | None, Meta(description="While interrupting: after this the process is ended.")
    ] = None


class InputRequest(Struct, frozen=True, kw_only=True):
    """A question of `input()` that waits for `input.reply`."""

    execution: str | None
    request: int
    prompt: str
    password: bool


class RestoreEntry(Struct, frozen=True, kw_only=True):
    """What became of one variable when the session got a new process."""

    name: str
    verdict: Verdict
    execution: Annotated[
        str | None, Meta(description="For `rerun` and `lost`: the execution that last set it.")
    ] = None
    why: str | None = None


class Limits(Struct, frozen=True, kw_only=True):
    """What one session may use; null: no limit."""

    memory_bytes: Annotated[int, Meta(description="Python's memory.")]
    wall_s: Annotated[float | None, Meta(description="Time of one execution.")]
    cpu_s: Annotated[float | None, Meta(description="Processor time of one execution.")]
    cpu_hour_s: Annotated[float | None, Meta(description="Processor time in any hour.")]
    output_bytes: Annotated[int, Meta(description="Printed text kept of one execution.")]
    code_bytes: Annotated[int, Meta(description="Code of one execution.")]
    variables: Annotated[int, Meta(description="Variables that are told; others are counted.")]
    variables_bytes: Annotated[int, Meta(description="About how large all of these are as JSON.")]
    queue: Annotated[int, Meta(description="Executions that may wait.")]
    participants: Annotated[int, Meta(description="Connections that may be in it.")]
    calls_per_s: Annotated[float | None, Meta(description="Calls of one connection in a second.")]


class Usage(Struct, frozen=True, kw_only=True):
    """How much a session uses now, of what its `limits` say."""

    memory_bytes: Annotated[
        int | None, Meta(description="Null: no process. While code runs, about.")
    ]
    process_bytes: Annotated[
        int | None, Meta(description="What the operating system says of the whole process.")
    ]
    wall_s: Annotated[float | None, Meta(description="Of the execution that runs.")]
    cpu_s: Annotated[float, Meta(description="Of the execution that runs, or ran last.")]
    cpu_hour_s: Annotated[float, Meta(description="In the last hour.")]
    cpu_hour_free_in_s: Annotated[
        float | None, Meta(description="When it is used up: how long until code runs again.")
    ]
    output_bytes: Annotated[int, Meta(description="Of the execution that runs, or ran last.")]
    variables: int
    variables_bytes: int
    variables_left_out: Annotated[int, Meta(description="Variables that are not told.")]
    queue: int
    participants: int


class Package(Struct, frozen=True, kw_only=True):
    """A package that was installed in the session with `%pip`."""

    name: str
    version: str
    filename: Annotated[str, Meta(description="Of its wheel.")]
    sha256: Annotated[str, Meta(description="Of its wheel.")]
    unpacked_bytes: int
    state: Annotated[
        Literal["installed", "missing"],
        Meta(description="Missing: a new process could not be given it again."),
    ]
    why: Annotated[str | None, Meta(description="Why it is missing.")] = None


class MirrorState(Struct, frozen=True, kw_only=True):
    """How far the SpacetimeDB mirror of the session is."""

    state: MirrorStatus
    behind_by: Annotated[int, Meta(description="Events of the session that have no rows yet.")]


class SessionState(Struct, frozen=True, kw_only=True):
    """A joiner's first picture: this, and the events after its `seq`, is what everyone sees."""

    session: str
    name: str
    status: ProcessStatus
    seq: Seq
    created_at: Timestamp
    executions: Annotated[list[Execution], Meta(description="The last 50, oldest first.")]
    execution_count: Annotated[int, Meta(description="How many there are in all.")]
    variables: list[Variable]
    watches: list[Watch]
    participants: list[Participant]
    checkpoints: list[Any]
    process: ProcessState
    inputs: list[InputRequest]
    packages: Annotated[list[Package], Meta(description="Installed with `%pip`.")] = []
    bindings: Annotated[list[Binding], Meta(description="Variables that are rows.")] = []
    reason: Annotated[ResetReason | None, Meta(description="Of the last `state.reset`.")] = None
    restore: Annotated[list[RestoreEntry], Meta(description="Of the last `state.reset`.")] = []
    variables_left_out: Annotated[
        int, Meta(description="Variables beyond `limits`, which are not told.")
    ] = 0
    limits: Annotated[Limits | UnsetType, Meta(description="What the session may use.")] = UNSET
    mirror: Annotated[
        MirrorState | None, Meta(description="As last told; null: there is none.")
    ] = None
    truncated: Annotated[
        bool, Meta(description="True when something was left out to keep this below 4 MiB.")
    ] = False


class SessionSummary(Struct, frozen=True, kw_only=True):
    """One line of the list of sessions."""

    session: str
    name: str
    status: ProcessStatus
    participants: Annotated[int, Meta(description="How many are in it now.")]
    created_at: Timestamp
    last_active_at: Timestamp
    executions: int
    memory_bytes: int | None


class Share(Struct, frozen=True, kw_only=True):
    """A way into a session, with a role."""

    share: str
    role: Role
    label: str | None
    expires_at: Timestamp | None
    created_at: Timestamp
    max_uses: int | None = None
    uses: int = 0
