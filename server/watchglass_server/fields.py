"""The field types of the wire: what an id, a name, a path or a size may look like."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, NewType

from msgspec import UNSET, Meta, Struct, UnsetType

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MAX_CODE_BYTES = 1024 * 1024
MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_VALUE_BYTES = 8 * 1024 * 1024
MAX_VALUE_DEPTH = 64
MAX_EXACT_INTEGER = 2**53
# Who knows a caller of the mirror's commands can tell which ids its executions will have.
OF_COMMANDS = re.compile("m[0-9a-f]{31}")

# The constructors are for our own side: what comes over the wire is checked by the types below.
SessionId = NewType("SessionId", str)
ExecutionId = NewType("ExecutionId", str)

Role = Literal["viewer", "editor", "owner"]
StreamName = Literal["stdout", "stderr"]
Verdict = Literal["restored", "rerun", "lost"]
ExecutionStatus = Literal[
    "queued", "running", "ok", "error", "interrupted", "cancelled", "died", "timeout"
]
FinalStatus = Literal["ok", "error", "interrupted", "cancelled", "died", "timeout"]
ProcessStatus = Literal["starting", "idle", "busy", "hibernated", "restoring", "dead"]
ResetReason = Literal["restored", "restarted", "recovered", "forked"]
Completeness = Literal["complete", "incomplete", "invalid"]
ScriptKind = Literal["script", "module"]
ReloadMode = Literal["ask", "auto"]
MirrorStatus = Literal["off", "connected", "behind", "disconnected"]
ErrorCode = Literal[
    "bad_request",
    "unauthorized",
    "forbidden",
    "session_not_found",
    "variable_not_found",
    "checkpoint_not_found",
    "not_settable",
    "conflict",
    "not_available",
    "too_large",
    "busy",
    "limit_exceeded",
    "pool_exhausted",
    "process_died",
    "timeout",
    "rate_limited",
    "internal",
]

SessionField = Annotated[str, Meta(min_length=1, max_length=64, description="The session's id.")]
ExecutionField = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="An execution's id: the server's, or one that the client chose.",
    ),
]
ParticipantField = Annotated[str, Meta(min_length=1, max_length=64, description="A participant.")]
ShareField = Annotated[str, Meta(min_length=1, max_length=64, description="A share's id.")]
TokenField = Annotated[str, Meta(min_length=1, max_length=512, description="A token.")]
CheckpointField = Annotated[str, Meta(min_length=1, max_length=64, description="A checkpoint.")]
NameField = Annotated[str, Meta(min_length=1, max_length=200, description="A name for people.")]
TableField = Annotated[str, Meta(min_length=1, max_length=200, description="`DATABASE/TABLE`.")]
ColumnField = Annotated[str, Meta(min_length=1, max_length=200, description="Of that table.")]
ScriptPath = Annotated[
    str,
    Meta(min_length=1, max_length=500, description="A file of the watched folder, by its list."),
]
CodeField = Annotated[str, Meta(max_length=MAX_CODE_BYTES, description="Python, at most 1 MiB.")]
VariableName = Annotated[
    str, Meta(min_length=1, max_length=1000, description="A variable's name in the namespace.")
]
Expression = Annotated[
    str, Meta(min_length=1, max_length=MAX_CODE_BYTES, description="A Python expression.")
]
WatchField = Annotated[str, Meta(min_length=1, max_length=64, description="A watch's id.")]
WatchSource = Annotated[
    str,
    Meta(min_length=1, max_length=500, description="A Python expression; longer: a function."),
]
Cursor = Annotated[int, Meta(ge=0, description="Position in `code`, in Unicode code points.")]
Offset = Annotated[int, Meta(ge=0, le=MAX_EXACT_INTEGER, description="Where to begin.")]
Seq = Annotated[int, Meta(ge=0, le=MAX_EXACT_INTEGER, description="Place in the session's events.")]
Timestamp = Annotated[str, Meta(description="UTC, ISO 8601 with microseconds and `Z`.")]
MimeBundle = Annotated[
    dict[str, Any], Meta(description="The same output in several forms, by MIME type.")
]


class PathStep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step into a value: exactly one of an index, an attribute's name, or a key."""

    index: Annotated[int, Meta(ge=-MAX_EXACT_INTEGER, le=MAX_EXACT_INTEGER)] | UnsetType = UNSET
    attr: Annotated[str, Meta(max_length=1000)] | UnsetType = UNSET
    key: Any | UnsetType = UNSET

    def __post_init__(self) -> None:
        given = (self.index is not UNSET) + (self.attr is not UNSET) + (self.key is not UNSET)
        if given != 1:
            raise ValueError("a step has exactly one of `index`, `attr` and `key`")


PathElement = str | PathStep
Path = Annotated[
    list[PathElement],
    Meta(min_length=1, max_length=64, description="A variable's name, then what to follow."),
]


def check_path(path: list[PathElement]) -> None:
    """Raise ValueError unless the path is a name followed by steps."""
    if not isinstance(path[0], str) or not path[0]:
        raise ValueError("`path` begins with a variable's name")
    if any(isinstance(step, str) for step in path[1:]):
        raise ValueError("what follows the name in `path` is an `index`, an `attr` or a `key`")
