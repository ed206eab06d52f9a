"""What can happen to a session, and what it asks for then: the closed unions of session.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchglass_server.exit_info import ExitInfo
from watchglass_server.fields import ErrorCode, MirrorStatus, ReloadMode, Role, ScriptKind
from watchglass_server.host_protocol import HostEvent
from watchglass_server.package_policy import Permission
from watchglass_server.pictures import Binding, Package, RestoreEntry, ScriptRun, Variable, Watch
from watchglass_server.pip_command import PipCommand
from watchglass_server.scripts import Script
from watchglass_server.session_fold import SessionEvent
from watchglass_sync.records import DumpRecord, ExecutionRecord, OutputRecord


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens: `time` as clients see it, `clock` in seconds, never set back."""

    time: str
    clock: float


# --- what can happen


@dataclass(frozen=True, slots=True)
class Join:
    """Somebody comes in, or comes back under another name."""

    participant: str
    name: str | None
    role: Role


@dataclass(frozen=True, slots=True)
class Leave:
    """Somebody's connection ended."""

    participant: str


@dataclass(frozen=True, slots=True)
class Rename:
    """The session gets another name."""

    name: str


@dataclass(frozen=True, slots=True)
class Destroy:
    """The session ends for good."""

    reason: str


@dataclass(frozen=True, slots=True)
class Execute:
    """Somebody sends code; `script`: the file that it loads.

    `by_owner`: it comes from the owner of the server, by the server token or its folder.
    """

    execution: str
    code: str
    author: str | None
    script: ScriptRun | None = None
    by_owner: bool = False


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Somebody wants the running code to stop; `execution`: only if it is this one."""

    execution: str | None


@dataclass(frozen=True, slots=True)
class AnswerInput:
    """Somebody answers `input()`."""

    request: int
    text: str


@dataclass(frozen=True, slots=True)
class ScriptChanged:
    """A file changed on the disk, or is gone; `execution`: the id that a reload of it gets."""

    execution: str
    path: str
    script: Script | None
    is_imported: bool


@dataclass(frozen=True, slots=True)
class ScriptMode:
    """Somebody says how a file is reloaded."""

    path: str
    kind: ScriptKind
    reload: ReloadMode


@dataclass(frozen=True, slots=True)
class AddWatch:
    """Somebody wants to follow an expression, under this id if nobody follows it yet."""

    watch: str
    expression: str
    condition: str | None


@dataclass(frozen=True, slots=True)
class RemoveWatch:
    """Nobody wants to follow it any more."""

    watch: str


@dataclass(frozen=True, slots=True)
class Bind:
    """Somebody wants a variable to follow a row, instead of what it followed before."""

    binding: Binding


@dataclass(frozen=True, slots=True)
class Unbind:
    """Nobody wants the variable to follow a row any more."""

    name: str


@dataclass(frozen=True, slots=True)
class Notice:
    """The server has something to say to the people in the session."""

    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Somebody is about to set or delete a variable; `edit`: a number of the server's."""

    edit: int
    name: str
    author: str | None


@dataclass(frozen=True, slots=True)
class EditRefused:
    """The edit came to nothing, as far as one knows."""

    edit: int


@dataclass(frozen=True, slots=True)
class Restart:
    """Somebody wants an empty process."""


@dataclass(frozen=True, slots=True)
class Wake:
    """Something needs the process."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """The process is to be stopped, its state kept; `reason`: idle, shutdown."""

    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """The session was read from the journal after this server started, with a mirror or none."""

    is_mirrored: bool = False


@dataclass(frozen=True, slots=True)
class ProcessReady:
    """A process is there. `memory_bytes`: what its interpreter uses."""

    generation: int
    memory_bytes: int
    watcher: str | None = None


@dataclass(frozen=True, slots=True)
class StartFailed:
    """There is no process to be had."""

    generation: int
    code: ErrorCode
    message: str


@dataclass(frozen=True, slots=True)
class Restored:
    """The process has what could be brought back."""

    generation: int
    variables: tuple[Variable, ...]
    restore: tuple[RestoreEntry, ...]
    watcher: str | None = None


@dataclass(frozen=True, slots=True)
class PackagesReady:
    """What a line `%pip …` asked for is in the process; `failure`: why it is not."""

    generation: int
    request: int
    packages: tuple[Package, ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class PackagesGiven:
    """A new process was given the packages again; `missing`: those that it was not, and why."""

    generation: int
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MirrorTold:
    """How far the session's mirror is is to be told."""

    state: MirrorStatus
    behind_by: int


@dataclass(frozen=True, slots=True)
class HostSaid:
    """The process sent something."""

    generation: int
    event: HostEvent


@dataclass(frozen=True, slots=True)
class ProcessEnded:
    """The process is gone."""

    generation: int
    exit: ExitInfo


@dataclass(frozen=True, slots=True)
class Usage:
    """What the process has used up to now."""

    generation: int
    cpu_s: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed."""


Input = (
    Join
    | Leave
    | Rename
    | Destroy
    | Execute
    | Interrupt
    | AnswerInput
    | ScriptChanged
    | ScriptMode
    | AddWatch
    | RemoveWatch
    | Bind
    | Unbind
    | Notice
    | Edit
    | EditRefused
    | Restart
    | Wake
    | Sleep
    | Found
    | ProcessReady
    | StartFailed
    | Restored
    | PackagesReady
    | PackagesGiven
    | MirrorTold
    | HostSaid
    | ProcessEnded
    | Usage
    | Tick
)

# --- what the session asks for


@dataclass(frozen=True, slots=True)
class Record:
    """Store this event, then send it to everybody."""

    event: SessionEvent


@dataclass(frozen=True, slots=True)
class Store:
    """Store this beside the events."""

    record: OutputRecord | ExecutionRecord | DumpRecord


@dataclass(frozen=True, slots=True)
class StoreSession:
    """The session's row has changed."""


@dataclass(frozen=True, slots=True)
class StartProcess:
    """Get a process; `restore`: bring back what was kept before it is told ready."""

    generation: int
    restore: bool


@dataclass(frozen=True, slots=True)
class EndProcess:
    """Stop the process at leisure: nothing it says counts any more."""

    generation: int


@dataclass(frozen=True, slots=True)
class KillProcess:
    """Kill the process; its end will be told."""

    generation: int
    cause: str
    message: str


@dataclass(frozen=True, slots=True)
class SendExecute:
    """Give code to the process."""

    generation: int
    number: int
    code: str


@dataclass(frozen=True, slots=True)
class SendInterrupt:
    """Interrupt the running code, again and again until it is heard."""

    generation: int
    number: int
    grace: float


@dataclass(frozen=True, slots=True)
class SendInput:
    """Give an answer to `input()`; None: there will be none."""

    generation: int
    request: int
    text: str | None


@dataclass(frozen=True, slots=True)
class SendWatches:
    """Tell the process what to follow."""

    generation: int
    watches: tuple[Watch, ...]


@dataclass(frozen=True, slots=True)
class InstallPackages:
    """Find packages and give them to the process; its end is told by PackagesReady."""

    generation: int
    request: int
    command: PipCommand
    permission: Permission


@dataclass(frozen=True, slots=True)
class AnswerPackages:
    """Let the process go on: what became of its request, in lines, and what it has to remove."""

    generation: int
    request: int
    lines: tuple[str, ...]
    ok: bool
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CancelPackages:
    """Nobody waits for the packages any more."""

    generation: int


Action = (
    Record
    | Store
    | StoreSession
    | StartProcess
    | EndProcess
    | KillProcess
    | SendExecute
    | SendInterrupt
    | SendInput
    | SendWatches
    | InstallPackages
    | AnswerPackages
    | CancelPackages
)
