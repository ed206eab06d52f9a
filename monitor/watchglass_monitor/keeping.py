"""When the namespace is dumped: before an execution is told finished if quick, else later."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import islice
from time import monotonic

from watchglass_monitor.dump import Dumper, Entry
from watchglass_monitor.host import DUMP_REQUEST_ID, Host, Message

QUICK_S = 0.05
DUTY = 10  # a slow dump may take one tenth of the time
# For one variable. Somebody waits for the end of an execution; while nothing runs there is time for
# millions of objects, though an execution that comes meanwhile has to wait.
END_LIMIT_S = 0.5
IDLE_LIMIT_S = 4.0
KEPT_NAMES = ("Out", "_", "__", "___")
# What one message may hold; the rest is in the dump all the same, and comes back from it.
TOLD_NAMES = 100_000
TOLD_CHARACTERS = 12 * 2**20

Namespace = dict[str, object]
TimeLimit = Callable[[float], AbstractContextManager[None]]


class Keeper:
    """Dumps the namespace when it has changed, and not too often."""

    def __init__(
        self,
        host: Host,
        namespace: Namespace,
        names: Callable[[], Iterable[str]],
        versions: Mapping[str, int],
        time_limit: TimeLimit,
        send: Callable[[Message], None],
    ) -> None:
        self._host = host
        self._namespace = namespace
        self._names = names
        self._versions = versions
        self._send = send
        self._limit_s = IDLE_LIMIT_S
        self._dumper = Dumper(lambda: time_limit(self._limit_s))
        self._kept = 0  # how many changes had been found when the last dump was made
        self._took_s = 0.0
        self._ended_at = 0.0

    def reset(self, changes: int) -> None:
        """What is there now needs no dump: it came from one, or is empty."""
        self._kept = changes
        self._ended_at = monotonic()

    def at_end(self, number: int, owner: int, changes: int) -> None:
        """An execution has ended, and is not yet told finished."""
        if changes == self._kept or self._took_s >= QUICK_S:
            return
        self._limit_s = END_LIMIT_S
        self.dump(number, owner, changes)
        self._limit_s = IDLE_LIMIT_S
        if self._took_s >= END_LIMIT_S:
            self._kept = -1  # something may have needed more time: it gets it later

    def when_idle(self, number: int, owner: int, changes: int) -> float:
        """Dump if it is time; how many milliseconds until it is, or 0."""
        if changes == self._kept:
            return 0
        wait = self._ended_at + (DUTY - 1) * self._took_s - monotonic()
        if wait > 0:
            return wait * 1000
        self.dump(number, owner, changes)
        return 0

    def dump(self, number: int, owner: int, changes: int) -> None:
        """Send a picture of the namespace as it is now. Raises MemoryError; the last one counts."""
        started = monotonic()
        self._kept, self._took_s, self._ended_at = changes, QUICK_S, started
        dump = self._dumper.dump(self._namespace, self._names(), versions=self._versions)
        self._host.send_blob(DUMP_REQUEST_ID, dump.data)
        entries = list(_told(dump.entries))
        message: Message = {"type": "dumped", "number": number, "request_id": owner}
        self._send({**message, "bytes": len(dump.data), "variables": entries})
        self._ended_at = monotonic()
        self._took_s = self._ended_at - started


def _told(entries: Iterable[Entry]) -> Iterator[dict[str, object]]:
    """What the server is told of a dump, as far as it fits one message."""
    room = TOLD_CHARACTERS
    for entry in islice((e for e in entries if e.name not in KEPT_NAMES), TOLD_NAMES):
        # A character takes up to six in JSON; the names of the fields and the rest under a hundred.
        room -= 100 + 6 * (len(entry.name) + len(entry.why or ""))
        if room < 0:
            return
        yield entry.as_dict()
