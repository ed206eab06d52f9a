"""Changes of variables -> messages: at once, then at most four a second, and at the end.

That is the record. Who looks (live.py) is shown them more often, beside it.
"""

from collections.abc import Callable, Iterable, Sequence
from math import inf
from time import monotonic
from typing import Protocol, TypeVar

from watchglass_monitor.host import Message
from watchglass_monitor.live import Live
from watchglass_monitor.wire import Change

INTERVAL_S = 0.25
MAX_CHANGES = 500
SCAN_BUDGET_MS = 2.0
WAITING_BUDGET_MS = 5.0  # a loop that draws frames does not see it
IDLE_BUDGET_MS = 20.0
END_SLICES = 10
BOUND_BUDGET_MS = 2000.0  # for some 10**5 names
FAULTS_AT_MOST = 3
CREDIT_DUTY = 10  # crediting may take one tenth of the time
SCAN_DUTY = 80  # looking into values one eightieth, while code runs

Send = Callable[[Message], None]
T = TypeVar("T")


class Monitor(Protocol):
    """The part of VariableMonitor that tells of changes."""

    def has_changes(self) -> bool: ...

    def collect(
        self, *, scan: bool, budget_ms: float = ..., hurried: bool = ...
    ) -> Sequence[Change]: ...

    @property
    def unfinished(self) -> bool: ...

    @property
    def left_out(self) -> int: ...


class Feed:
    """Sends what the monitor finds, each change under the execution that made it."""

    def __init__(self, monitor: Monitor, send: Send, live: Live) -> None:
        self._monitor = monitor
        self._send = send
        self._live = live
        self._sent_at = -INTERVAL_S
        self._credit_at = 0.0
        self._scan_at = 0.0
        self._found: dict[str, Message] = {}
        self._faults = 0
        self._left_out = 0  # as it was sent
        self.total = 0  # changes found so far: grows with each

    @property
    def unsent(self) -> bool:
        """Whether something was found that is not sent yet."""
        return bool(self._found) or self._left_out != self._monitor.left_out

    def begin(self) -> None:
        """An execution starts: its first change is shown at once."""
        self._sent_at = -INTERVAL_S

    def credit(self, owner: int) -> None:
        """Note whose the changes so far are, before other code runs; seldom, if that is slow."""
        now = monotonic()
        if now < self._credit_at or not self._monitor.has_changes():
            return
        self._find(owner, scan=False, budget_ms=SCAN_BUDGET_MS)
        took = monotonic() - now
        self._credit_at = now + took * CREDIT_DUTY

    def due_s(self) -> float:
        """How soon there may be something to tell; endless where nothing was stored."""
        if self._faults == FAULTS_AT_MOST or not (self.unsent or self._monitor.has_changes()):
            return inf
        return max(0.0, self._sent_at + INTERVAL_S - monotonic())

    def show(self, owner: int, *, running: bool, waits: bool = False) -> None:
        """Look on, and send what has changed if the last message is long enough ago.

        `waits`: the running code waits for something, so that this need not be quite as short.
        """
        now = monotonic()
        is_due = now - self._sent_at >= INTERVAL_S
        is_live = self._live.is_due(now, stored=self._monitor.has_changes())
        scan = now >= self._scan_at
        # A round of looking into many or large values takes several calls: were it to go on only
        # when a message is due, each of them would be seen every few seconds.
        if not is_due and not is_live and not (scan and self._monitor.unfinished):
            return
        budget_ms = SCAN_BUDGET_MS if running else IDLE_BUDGET_MS
        if waits:
            budget_ms = WAITING_BUDGET_MS
        self._find(owner, scan=scan, budget_ms=budget_ms, hurried=running)
        if scan and running:
            end = monotonic()
            self._scan_at = end + (end - now) * SCAN_DUTY
            now = end  # that has its own share of the time
        if is_due and self.unsent:
            self._sent_at = now
            self._flush(owner, running=running)
        elif is_live:
            self._live.show(now)

    def finish(self, owner: int) -> None:
        """An execution has ended: everything, in its name."""
        self._find_all(owner)
        self._flush(owner, running=False)

    def edit(self, owner: int, change: Callable[[], T], *, running: bool) -> T:
        """Make a change that no code made: it is told at once, and as no execution's."""
        self._find(owner, scan=False, budget_ms=SCAN_BUDGET_MS)
        try:
            return change()
        finally:
            self._find(0, scan=False, budget_ms=SCAN_BUDGET_MS)
            self._flush(owner, running=running)

    def forget(self, names: Iterable[str]) -> None:
        """What has changed in these is told in another way."""
        for name in names:
            self._found.pop(name, None)
        self.total = len(self._found)

    def _find(self, owner: int, *, scan: bool, budget_ms: float, hurried: bool = False) -> None:
        for change in self._collect(owner, scan=scan, budget_ms=budget_ms, hurried=hurried):
            # The latest of each name counts; a name that comes again goes to the end.
            self._found.pop(change["name"], None)
            self._found[change["name"]] = told = {**change, "request_id": owner}
            self._live.note(told)
            self.total += 1

    def _collect(
        self, owner: int, *, scan: bool, budget_ms: float, hurried: bool
    ) -> Sequence[Change]:
        """What the monitor finds. A fault of its own is told, and never ends the user's code."""
        if self._faults == FAULTS_AT_MOST:
            return ()
        try:
            return self._monitor.collect(scan=scan, budget_ms=budget_ms, hurried=hurried)
        except (MemoryError, RecursionError):
            raise  # at their limit because of the user's code, whose turn it is
        except Exception as fault:
            self._faults += 1
            self._tell(owner, f"{type(fault).__name__}: {fault}"[:500])
            fault.__traceback__ = None
            return ()

    def _tell(self, owner: int, fault: str) -> None:
        last = self._faults == FAULTS_AT_MOST
        rest = "They are watched no longer: restart the session." if last else "The code goes on."
        message = f"The variables could not be looked at ({fault}). {rest}"
        error: Message = {"type": "error", "request_id": owner, "name": "VariablesFault"}
        self._send({**error, "message": message, "traceback": [message], "line": None})

    def _find_all(self, owner: int) -> None:
        """All names that were bound; what changed inside of values as far as the time goes."""
        self._find(owner, scan=False, budget_ms=BOUND_BUDGET_MS)
        # Slices are counted, and not the time, of which a busy machine gives others the most.
        for _ in range(END_SLICES):
            self._find(owner, scan=True, budget_ms=SCAN_BUDGET_MS)
            if not self._monitor.unfinished:
                break

    def _flush(self, owner: int, *, running: bool) -> None:
        changes = list(self._found.values())
        count = max(len(changes), self.unsent)
        self._found.clear()
        self._left_out = left_out = self._monitor.left_out
        for start in range(0, count, MAX_CHANGES):
            part = changes[start : start + MAX_CHANGES]
            message: Message = {"type": "variables", "request_id": owner, "running": running}
            told: Message = {"left_out": left_out} if left_out else {}
            self._send({**message, "changes": part, **told})
        self._live.settle()
