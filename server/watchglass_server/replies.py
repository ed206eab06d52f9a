"""Server → browser: what each call is acknowledged with, beside `ok`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from watchglass_server.fields import (
    Completeness,
    ErrorCode,
    ReloadMode,
    Role,
    ScriptKind,
    Seq,
    SessionField,
    Timestamp,
    WatchField,
)
from watchglass_server.pictures import (
    Child,
    Execution,
    Limits,
    SessionState,
    SessionSummary,
    Share,
    StreamPart,
    Usage,
    Variable,
)


class Reply(Struct, frozen=True, kw_only=True):
    """The root of all acknowledgements of calls that went well."""


class WireError(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a call was refused; it has changed nothing."""

    code: ErrorCode
    message: Annotated[str, Meta(description="What is wrong, for people.")]
    hint: Annotated[str, Meta(description="What to do next, for people.")]
    field: Annotated[str | None, Meta(description="With `bad_request`: the wrong field.")] = None
    variable: Annotated[
        Variable | None, Meta(description="With `conflict`: the variable's present state.")
    ] = None
    id: Annotated[str | None, Meta(description="With `internal`: also in the server's log.")] = None
    retry_after_s: Annotated[
        float | None,
        Meta(description="With `limit_exceeded` and `rate_limited`: how long to wait."),
    ] = None


class EmptyReply(Reply, frozen=True):
    """Nothing but `ok`."""


class ServerLimits(Limits, frozen=True, kw_only=True):
    """What this server allows: each session at most so much, and itself; null: no limit."""

    message_bytes: int
    answer_bytes: int
    idle_s: Annotated[float, Meta(description="How long a session without clients keeps going.")]
    interrupt_grace_s: float
    processes: Annotated[int, Meta(description="Sessions that are awake at a time.")]
    sessions: Annotated[int, Meta(description="Sessions that there may be.")]


class SessionUsageReply(Reply, frozen=True):
    """What the session may use, and how much of it is used."""

    limits: Limits
    usage: Usage


class ServerInfoReply(Reply, frozen=True):
    """This server."""

    version: str
    python: Annotated[str | None, Meta(description="Of the sessions; null before the first.")]
    pyodide: str | None
    node: str | None
    watcher: Annotated[
        str | None, Meta(description="How the sessions notice stores: `wasm-watcher` is the best.")
    ]
    isolation: Annotated[
        str,
        Meta(description="The level in force: `strict` (a jail around each session) or `process`."),
    ]
    limits: ServerLimits
    features: Annotated[list[str], Meta(description="The calls that this server answers.")]


class SessionTokens(Struct, frozen=True, kw_only=True):
    """One token a role, each belonging to a share of its own."""

    owner: str
    editor: str
    viewer: str


class SessionCreateReply(Reply, frozen=True):
    """The new session."""

    session: SessionField
    role: Role
    tokens: SessionTokens
    state: SessionState


class SessionListReply(Reply, frozen=True):
    """The sessions, the last used first."""

    sessions: list[SessionSummary]


class Event(Struct, frozen=True, kw_only=True):
    """One entry of a session's record."""

    session: SessionField
    seq: Seq
    time: Timestamp
    type: str
    data: dict[str, Any]


class SessionJoinReply(Reply, frozen=True, omit_defaults=True):
    """Either `events`, or `state`: apply the events after its `seq`."""

    role: Role
    seq: Seq
    participant: Annotated[str, Meta(description="Who this connection is in the session.")]
    events: list[Event] | UnsetType = UNSET
    more: Annotated[
        bool, Meta(description="True: join again with this `seq`; no event arrives before.")
    ] = False
    state: SessionState | UnsetType = UNSET


class SessionShareReply(Reply, frozen=True):
    """The new share."""

    share: str
    link: Annotated[str, Meta(description="For a browser; the code is in the fragment.")]
    token: str
    expires_at: Timestamp | None


class SessionSharesReply(Reply, frozen=True):
    """The shares that are open."""

    shares: list[Share]


class ExecutionListReply(Reply, frozen=True):
    """A page of executions, oldest first."""

    executions: list[Execution]
    more: Annotated[bool, Meta(description="True when there are older ones.")]


class ExecuteReply(Reply, frozen=True):
    """Accepted, not finished: the events tell the rest."""

    execution: str
    number: Annotated[int, Meta(description="As in `In[number]`.")]
    queued_behind: Annotated[int, Meta(description="How many run or wait before it.")]


class InterruptReply(Reply, frozen=True):
    """Whether something was running."""

    interrupted: bool


class Match(Struct, frozen=True, kw_only=True):
    """One completion."""

    text: str
    type: str


class CompleteReply(Reply, frozen=True):
    """What may replace `code[start:end]`, in code points."""

    matches: list[Match]
    start: int
    end: int


class InspectReply(Reply, frozen=True):
    """What stands at the cursor."""

    found: bool
    signature: str | None = None
    docstring: str | None = None
    type: str | None = None


class IsCompleteReply(Reply, frozen=True):
    """Whether the code can run as it is."""

    status: Completeness
    indent: str = ""


class VariableGetReply(Reply, frozen=True):
    """The value at the path, and a page of its children."""

    variable: Variable
    children: list[Child]
    total: Annotated[int | None, Meta(description="How many children there are.")] = None


class VariableReply(Reply, frozen=True):
    """The variable as it is now."""

    variable: Variable


class VariableReprReply(Reply, frozen=True):
    """The full `repr`."""

    text: str
    truncated: bool = False


class HistoryChange(Struct, frozen=True, kw_only=True):
    """One change of a variable; `preview` and `value` are null where it was deleted."""

    seq: Seq
    time: Timestamp
    nth: Annotated[
        int, Meta(ge=1, description="From 1; where some are missing, they were thinned.")
    ]
    op: Literal["set", "delete"]
    execution: Annotated[str | None, Meta(description="Null: an edit, by no execution.")]
    number: Annotated[int | None, Meta(description="Of that execution, as in `In[number]`.")]
    line: int | None
    author: Annotated[
        str | None, Meta(description="Who ran the execution, or made the edit, if it is known.")
    ]
    type: str | None
    preview: str | None
    value: Any
    error: Annotated[
        str | UnsetType | None, Meta(description="Of a watch: why it gave no value then.")
    ] = UNSET


class VariableHistoryReply(Reply, frozen=True):
    """The changes, newest first."""

    changes: list[HistoryChange]
    more: bool = False


class OutputReadReply(Reply, frozen=True):
    """A range of the text; `total` is the length of all of it, in code points."""

    chunks: list[StreamPart]
    total: int


class Frame(Struct, frozen=True, kw_only=True):
    """One frame of the running code."""

    name: Annotated[str, Meta(description="Of the function, or `<module>`.")]
    file: Annotated[str, Meta(description="`<In[number]>`, or the file of a library.")]
    number: Annotated[int | None, Meta(description="As in `In[number]`: whose code it is.")]
    execution: Annotated[str | None, Meta(description="The same, where it is still known.")] = None
    line: int | None
    locals: Annotated[
        list[Variable], Meta(description="At most 100; none for a module: those are its variables.")
    ]


class FrameReply(Reply, frozen=True):
    """The frames of the running code, the innermost last."""

    frames: list[Frame]
    omitted: Annotated[int, Meta(description="Frames left out behind the outermost.")] = 0


class WatchReply(Reply, frozen=True, omit_defaults=True):
    """The watch, and what it gives if that is known already."""

    watch: WatchField
    expression: str
    condition: str | None = None
    variable: Variable | None = None
    error: str | None = None
    met: bool | None = None
    condition_error: str | None = None


class SessionBindReply(Reply, frozen=True):
    """What the variable follows from now on, and how the row is written."""

    follows: Annotated[str, Meta(description="For people: `arena/unit[3].hp`.")]
    writes: Annotated[
        str | None, Meta(description="The reducer, or `sql`; null: the row is only followed.")
    ]
    why: Annotated[str | None, Meta(description="Why it is only followed.")] = None
    is_equal: Annotated[
        bool, Meta(description="Whether the variable is the row's value by now.")
    ] = True


class CheckpointListReply(Reply, frozen=True):
    """The checkpoints, oldest first."""

    checkpoints: list[Any]


class CheckpointRestoreReply(Reply, frozen=True):
    """The session after it."""

    state: SessionState


class ScriptEntry(Struct, frozen=True, kw_only=True):
    """One file of the watched folder, as one session sees it."""

    path: str
    version: Annotated[str | None, Meta(description="Hash of its text; null: it was deleted.")]
    loaded: Annotated[str | None, Meta(description="The version that this session has.")]
    kind: Annotated[ScriptKind | None, Meta(description="How it was loaded; null: it was not.")]
    reload: ReloadMode
    importable: Annotated[bool, Meta(description="Its path is a name that `import` takes.")]


class RefusedScript(Struct, frozen=True, kw_only=True):
    """A file that is not given to sessions."""

    path: str
    why: str


class ScriptListReply(Reply, frozen=True):
    """The files, by name."""

    watching: Annotated[bool, Meta(description="False: the server was started without --watch.")]
    scripts: list[ScriptEntry]
    refused: list[RefusedScript]


class ScriptLoadReply(Reply, frozen=True):
    """The execution that loads the file: accepted, not finished."""

    execution: str
    number: int
    version: str
    kind: ScriptKind
