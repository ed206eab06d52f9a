"""What one process takes of the machine while it runs, looked at from outside."""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Taken:
    """The most that was seen of each."""

    memory_bytes: int = 0
    threads: int = 0
    descriptors: int = 0
    children: int = 0

    def and_of(self, pid: int) -> "Taken":
        """Return the most of what was seen so far and what the process takes now."""
        with contextlib.suppress(OSError, KeyError):  # it has ended meanwhile
            process = Path(f"/proc/{pid}")
            facts = dict(
                line.split(":", 1) for line in (process / "status").read_text().splitlines()
            )
            threads = list((process / "task").iterdir())
            return replace(
                self,
                memory_bytes=max(self.memory_bytes, int(facts["VmRSS"].split()[0]) * 1024),
                threads=max(self.threads, len(threads)),
                descriptors=max(self.descriptors, len(list((process / "fd").iterdir()))),
                children=max(self.children, sum(map(_children, threads))),
            )
        return self


def _children(thread: Path) -> int:
    try:
        return len((thread / "children").read_text().split())
    except OSError:
        return 0
