"""Server → browser: the data of each event of a session's record, by its `type`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from watchglass_server.fields import (
    CheckpointField,
    ExecutionField,
    FinalStatus,
    MimeBundle,
    MirrorStatus,
    Offset,
    ParticipantField,
    Path,
    ProcessStatus,
    ReloadMode,
    ResetReason,
    Role,
    ScriptKind,
    Seq,
    SessionField,
    StreamName,
    WatchField,
)
from watchglass_server.pictures import (
    Binding,
    Child,
    ExitInfo,
    Package,
    RestoreEntry,
    ScriptRun,
    StreamPart,
    Variable,
    Watch,
)


class Notification(Struct, frozen=True, kw_only=True):
    """The root of all notifications."""


class ExecutionQueuedNotification(Notification, frozen=True):
    """Code was accepted and waits."""

    execution: ExecutionField
    number: int
    code: str
    author: str | None
    script: Annotated[
        ScriptRun | UnsetType, Meta(description="When it loads a file of the watched folder.")
    ] = UNSET


class ExecutionStartedNotification(Notification, frozen=True):
    """Code was given to the process."""

    execution: ExecutionField
    number: int
    code: str
    author: str | None
    script: Annotated[
        ScriptRun | UnsetType, Meta(description="When it loads a file of the watched folder.")
    ] = UNSET


class StreamNotification(Notification, frozen=True):
    """Printed text; many small writes come as one."""

    execution: Annotated[str | None, Meta(description="Null: printed outside of any execution.")]
    name: StreamName
    text: str


class StreamTruncatedNotification(Notification, frozen=True):
    """The text goes on, but not here: what was left out so far, and the newest of it.

    The text of the `stream` events, `dropped_bytes` of UTF-8, and the tail make up all of it.
    """

    execution: str | None
    dropped_bytes: Annotated[int, Meta(description="Left out between the head and the tail.")]
    tail: list[StreamPart]
    lost_bytes: Annotated[
        int, Meta(description="Beyond `output_bytes`, after the tail: not kept anywhere.")
    ] = 0
    dropped_displays: Annotated[int, Meta(description="Displays that were too many to keep.")] = 0


class DisplayDataNotification(Notification, frozen=True):
    """Something was displayed."""

    execution: str | None
    bundle: MimeBundle
    display_id: str | None


class UpdateDisplayDataNotification(Notification, frozen=True):
    """What was displayed under this id is now this."""

    execution: str | None
    bundle: MimeBundle
    display_id: str | None


class ExecuteResultNotification(Notification, frozen=True):
    """The value of the last expression."""

    execution: str
    number: int
    bundle: MimeBundle


class ErrorNotification(Notification, frozen=True):
    """An exception that nobody caught."""

    execution: str | None
    name: str
    message: str
    traceback: Annotated[list[str], Meta(description="Text lines, without our own frames.")]
    line: Annotated[int | None, Meta(description="In the code of this execution, from 1.")]


class ExecutionFinishedNotification(Notification, frozen=True):
    """An execution ended, or never will begin."""

    execution: str
    status: FinalStatus
    duration_ms: float | None
    checkpoint: str | None = None


class InputRequestedNotification(Notification, frozen=True):
    """`input()` waits for `input.reply`."""

    execution: str | None
    request: int
    prompt: str
    password: bool


class InputAnsweredNotification(Notification, frozen=True):
    """The question was answered, or is no longer open."""

    execution: str | None
    request: int
    prompt: str
    password: bool
    text: Annotated[str | None, Meta(description="Null for a password, and when cancelled.")]
    cancelled: bool = False


class VariableChange(Struct, frozen=True, kw_only=True):
    """One variable was set or deleted."""

    op: Literal["set", "delete"]
    name: str
    variable: Variable | None
    execution: Annotated[str | None, Meta(description="Null: not by an execution.")]
    line: int | None
    author: Annotated[
        str | None, Meta(description="Who ran the execution, or made the edit, if it is known.")
    ] = None


class VariablesChangedNotification(Notification, frozen=True):
    """Variables were set or deleted."""

    changes: list[VariableChange]
    running: Annotated[bool, Meta(description="True when it was sent while code was running.")]
    left_out: Annotated[
        int | UnsetType,
        Meta(description="When it is another than before: how many variables are not told."),
    ] = UNSET


class StateResetNotification(Notification, frozen=True):
    """Replaces all that was known of the variables."""

    reason: ResetReason
    variables: list[Variable]
    watches: list[Watch]
    restore: list[RestoreEntry]
    left_out: Annotated[
        int | UnsetType, Meta(description="How many variables are not told, if there are some.")
    ] = UNSET


class WatchesChangedNotification(Notification, frozen=True):
    """The watches are now these: all of them, in their order."""

    watches: list[Watch]
    changed: Annotated[
        list[str], Meta(description="Those that give something else than before.")
    ] = []
    execution: Annotated[
        str | None, Meta(description="Whose code made the change; null: nobody's.")
    ] = None
    line: Annotated[int | None, Meta(description="The line that ran just then.")] = None


class PackagesChangedNotification(Notification, frozen=True):
    """The packages of the session are now these: all of them."""

    packages: list[Package]
    execution: Annotated[
        str | None,
        Meta(description="Whose code did it; null: a new process was given them."),
    ]


class BindingsChangedNotification(Notification, frozen=True):
    """The variables that follow rows are now these: all of them."""

    bindings: list[Binding]


class WatchAlertNotification(Notification, frozen=True):
    """The condition of a watch turned true."""

    watch: WatchField
    expression: str
    condition: str
    variable: Variable
    execution: str | None
    line: int | None


class ProcessStateNotification(Notification, frozen=True):
    """What the session's process does now."""

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


class CheckpointNotification(Notification, frozen=True):
    """A checkpoint was taken, or gone back to."""

    checkpoint: CheckpointField
    execution: str | None


class ParticipantNotification(Notification, frozen=True):
    """Somebody came or went."""

    participant: ParticipantField
    name: str
    role: Role


class SessionRenamedNotification(Notification, frozen=True):
    """The session has another name."""

    name: str


class SessionDestroyedNotification(Notification, frozen=True):
    """The session is gone."""

    reason: str


class SessionForkedNotification(Notification, frozen=True):
    """Somebody made a new session from this one."""

    session: SessionField
    checkpoint: CheckpointField | None


class ScriptChangedNotification(Notification, frozen=True):
    """A file that this session has loaded is another one on the server's disk now."""

    path: str
    version: Annotated[str | None, Meta(description="Hash of its text; null: it was deleted.")]
    kind: ScriptKind


class ScriptModeNotification(Notification, frozen=True):
    """Somebody said how a file is reloaded."""

    path: str
    kind: ScriptKind
    reload: ReloadMode


class MirrorStateNotification(Notification, frozen=True):
    """How far the SpacetimeDB mirror of the session is."""

    state: MirrorStatus
    behind_by: Annotated[
        int,
        Meta(
            description="Events of the session that have no rows yet, this one included; "
            "0: connected, or off."
        ),
    ]


class RunningLine(Struct, frozen=True, kw_only=True):
    """The line that runs now: of the innermost of the user's frames."""

    number: Annotated[int, Meta(description="As in `In[number]`: whose code it is.")]
    execution: Annotated[str | None, Meta(description="The same, where it is still known.")]
    line: Annotated[int, Meta(description="From 1.")]
    function: Annotated[str | None, Meta(description="Null: outside of functions.")]
    calls: Annotated[
        int | None, Meta(description="The line of the running execution that leads there.")
    ]


class PatchRow(Struct, frozen=True, kw_only=True):
    """One row of a window that is another than before."""

    row: Annotated[int, Meta(description="Counted from the beginning of the window.")]
    child: Child


class Patch(Struct, frozen=True, kw_only=True):
    """What has changed in an open window; the first one has all of its rows."""

    path: Path
    offset: Offset
    limit: int
    total: Annotated[int | None, Meta(description="Of all children; null: it is gone.")]
    length: Annotated[int, Meta(description="How many rows the window has now.")]
    version: Annotated[int, Meta(description="Of the variable, and so of every row.")]
    rows: list[PatchRow]


class LiveMessage(Struct, frozen=True, kw_only=True):
    """What `live` carries to one client: only what is new since the last one."""

    session: SessionField
    after_seq: Annotated[
        Seq, Meta(description="What the record tells up to this event is older, or the same.")
    ]
    changes: list[VariableChange]
    patches: list[Patch]
    line: RunningLine | None
