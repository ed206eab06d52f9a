"""Browser → server: one command a call, checked field by field when it is decoded."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from watchglass_server.fields import (
    MAX_CODE_BYTES,
    CheckpointField,
    CodeField,
    ColumnField,
    Cursor,
    ExecutionField,
    Expression,
    NameField,
    Offset,
    ParticipantField,
    Path,
    ReloadMode,
    Role,
    ScriptKind,
    ScriptPath,
    Seq,
    SessionField,
    ShareField,
    TableField,
    TokenField,
    VariableName,
    WatchField,
    WatchSource,
    check_path,
)

PageLimit = Annotated[int, Meta(ge=1, le=1000, description="How many at most.")]


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one session may use; what is left out is the server's setting."""

    memory_bytes: Annotated[int, Meta(ge=64 * 2**20, le=4 * 2**30)] | None = None
    wall_s: Annotated[float, Meta(gt=0, le=31_536_000)] | None = None
    cpu_s: Annotated[float, Meta(gt=0, le=31_536_000)] | None = None
    cpu_hour_s: Annotated[float, Meta(gt=0, le=31_536_000)] | None = None
    output_bytes: Annotated[int, Meta(ge=1024, le=2**30)] | None = None
    code_bytes: Annotated[int, Meta(ge=1, le=MAX_CODE_BYTES)] | None = None
    variables: Annotated[int, Meta(ge=0, le=2**31)] | None = None
    variables_bytes: Annotated[int, Meta(ge=0, le=2**40)] | None = None
    queue: Annotated[int, Meta(ge=1, le=2**31)] | None = None
    participants: Annotated[int, Meta(ge=1, le=2**31)] | None = None
    calls_per_s: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The root of all commands: unknown fields are refused, so that no typing error passes."""


class SessionCommand(Command, frozen=True, kw_only=True):
    """The root of the commands that name a session."""

    session: SessionField


class ServerInfoCommand(Command, frozen=True):
    """Says what this server is and can."""


class SessionCreateCommand(Command, frozen=True):
    """Makes a session with a process of its own; the caller has joined it."""

    name: NameField | None = None
    limits: Limits | None = None


class SessionListCommand(Command, frozen=True):
    """Lists the sessions: all with the server token, otherwise those the connection can open."""


class SessionJoinCommand(SessionCommand, frozen=True):
    """Begins to receive a session's events, or continues after `since`."""

    token: TokenField | None = None
    name: NameField | None = None
    since: Seq | None = None


class SessionLeaveCommand(SessionCommand, frozen=True):
    """Ends what `session.join` began."""


class SessionRenameCommand(SessionCommand, frozen=True):
    """Gives the session another name."""

    name: NameField


class SessionDestroyCommand(SessionCommand, frozen=True):
    """Ends the session and deletes all that is stored of it."""


class SessionShareCommand(SessionCommand, frozen=True):
    """Makes a link and a token that open this session with a role."""

    role: Role
    expires_in_s: Annotated[float, Meta(gt=0, le=315_360_000)] | None = None
    label: NameField | None = None
    max_uses: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None


class SessionSharesCommand(SessionCommand, frozen=True):
    """Lists the shares of the session."""


class SessionRevokeCommand(SessionCommand, frozen=True):
    """Ends a share, and drops the connections that came in by it."""

    share: ShareField


class ParticipantRemoveCommand(SessionCommand, frozen=True):
    """Drops one participant's connection; its share stays (`session.revoke` ends that)."""

    participant: ParticipantField


class SessionForkCommand(SessionCommand, frozen=True):
    """Makes a new session from a checkpoint of this one."""

    checkpoint: CheckpointField | None = None
    name: NameField | None = None


class SessionUsageCommand(SessionCommand, frozen=True):
    """Says what the session may use, and how much of it is used."""


class SessionHibernateCommand(SessionCommand, frozen=True):
    """Stops the session's process and keeps its state."""


class ExecutionListCommand(SessionCommand, frozen=True):
    """Lists executions with their outputs, oldest first; `before` pages backwards."""

    before: Annotated[int, Meta(ge=1)] | None = None
    limit: PageLimit = 50


class ExecuteCommand(SessionCommand, frozen=True):
    """Queues code; the same `execution` id is executed once, however often it is sent."""

    code: CodeField
    execution: ExecutionField | None = None


class InterruptCommand(SessionCommand, frozen=True):
    """Raises KeyboardInterrupt in the code that runs."""

    execution: ExecutionField | None = None


class RestartCommand(SessionCommand, frozen=True):
    """Ends the process and starts an empty one."""


class InputReplyCommand(SessionCommand, frozen=True):
    """Answers `input()`."""

    request: Annotated[int, Meta(ge=1, description="As in `input.requested`.")]
    text: CodeField


class CompleteCommand(SessionCommand, frozen=True):
    """Asks what may stand at the cursor."""

    code: CodeField
    cursor: Cursor


class InspectCommand(SessionCommand, frozen=True):
    """Asks for the signature and docstring of what stands at the cursor."""

    code: CodeField
    cursor: Cursor


class IsCompleteCommand(SessionCommand, frozen=True):
    """Asks whether the code can run as it is."""

    code: CodeField


class VariableGetCommand(SessionCommand, frozen=True):
    """Expands a value: its picture, and a page of its children."""

    path: Path
    offset: Offset = 0
    limit: PageLimit = 100

    def __post_init__(self) -> None:
        check_path(self.path)


class VariableSetCommand(SessionCommand, frozen=True):
    """Sets a variable, or a part of one, to a JSON value or to what an expression gives."""

    name: VariableName | None = None
    path: Path | None = None
    value: Any | UnsetType = UNSET
    expression: Expression | None = None
    when: Literal["now", "after"] = "now"
    if_version: Annotated[int, Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        if (self.name is None) == (self.path is None):
            raise ValueError("give exactly one of `name` and `path`")
        if (self.value is UNSET) == (self.expression is None):
            raise ValueError("give exactly one of `value` and `expression`")
        if self.path is not None:
            check_path(self.path)


class VariableReprCommand(SessionCommand, frozen=True):
    """Runs the value's own `repr`, on purpose, with a deadline."""

    path: Path

    def __post_init__(self) -> None:
        check_path(self.path)


class FramesCommand(SessionCommand, frozen=True):
    """Lists the frames of the running code."""


class Window(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of an expanded value that a client shows."""

    path: Path
    offset: Offset = 0
    limit: PageLimit = 100

    def __post_init__(self) -> None:
        check_path(self.path)


class ViewSetCommand(SessionCommand, frozen=True):
    """Says what `live` shall carry to this client."""

    names: Annotated[list[VariableName], Meta(max_length=10_000)] | None = None
    windows: Annotated[list[Window], Meta(max_length=1000)] = []
    line: Annotated[
        bool, Meta(description="The running line, also when nothing else is asked for.")
    ] = False


class VariableDeleteCommand(SessionCommand, frozen=True):
    """Deletes a variable."""

    name: VariableName


class VariableHistoryCommand(SessionCommand, frozen=True):
    """Lists the changes of one variable, newest first; `before_seq` pages backwards."""

    name: VariableName
    before_seq: Seq | None = None
    limit: PageLimit = 100
    values: Annotated[
        bool, Meta(description="False: the exact values of numbers and truth values only.")
    ] = True


class WatchAddCommand(SessionCommand, frozen=True):
    """Follows an expression; `condition`, an expression of `value`, raises `watch.alert`."""

    expression: WatchSource
    condition: WatchSource | None = None


class WatchRemoveCommand(SessionCommand, frozen=True):
    """Stops following an expression."""

    watch: WatchField | None = None
    expression: WatchSource | None = None
    condition: WatchSource | None = None

    def __post_init__(self) -> None:
        if (self.watch is None) == (self.expression is None):
            raise ValueError("give exactly one of `watch` and `expression`")


class WatchHistoryCommand(SessionCommand, frozen=True):
    """Lists what a watch gave, newest first; `before_seq` pages backwards."""

    watch: WatchField
    before_seq: Seq | None = None
    limit: PageLimit = 100


class SessionBindCommand(SessionCommand, frozen=True):
    """Makes a variable follow a row of a SpacetimeDB table."""

    name: VariableName
    table: TableField
    key: Any
    column: ColumnField | None = None


class SessionUnbindCommand(SessionCommand, frozen=True):
    """Ends what `session.bind` began."""

    name: VariableName
    table: TableField | None = None
    key: Any = None
    column: ColumnField | None = None


class ScriptListCommand(SessionCommand, frozen=True):
    """Lists the files of the folder that the server watches, and what this session has of them."""


class ScriptLoadCommand(SessionCommand, frozen=True):
    """Executes a file in the session: its text as a script, or imported anew as a module."""

    path: ScriptPath
    kind: ScriptKind | None = None
    reload: ReloadMode | None = None


class ScriptSetCommand(SessionCommand, frozen=True):
    """Says whether a file that changes is offered for reloading, or reloaded by itself."""

    path: ScriptPath
    reload: ReloadMode


class OutputReadCommand(SessionCommand, frozen=True):
    """Reads an execution's whole text by range."""

    execution: ExecutionField
    offset: Offset = 0
    limit: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Unicode code points; at most 1,000,000.")
    ] = 100_000


class CheckpointListCommand(SessionCommand, frozen=True):
    """Lists the checkpoints."""


class CheckpointRestoreCommand(SessionCommand, frozen=True):
    """Takes the session back to a checkpoint."""

    checkpoint: CheckpointField


class CheckpointNameCommand(SessionCommand, frozen=True):
    """Gives a checkpoint a name."""

    checkpoint: CheckpointField
    name: NameField
