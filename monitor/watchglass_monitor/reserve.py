"""Memory held back, so that what ran out of memory can still be told and tidied up."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

RESERVE_BYTES = 2 * 2**20


class Reserve:
    """A block that is given up when memory runs out, and taken again when there is some."""

    def __init__(self) -> None:
        self._block: bytearray | None = bytearray(RESERVE_BYTES)

    def free(self) -> None:
        """Memory has run out: this much is there for the next steps."""
        self._block = None

    @contextmanager
    def as_needed(self) -> Iterator[None]:
        """In the body, running out of memory ends the body only."""
        has_run_out = False
        try:
            yield
        except MemoryError as error:
            has_run_out = True
            error.__traceback__ = None  # there may be one such object only, which lives for ever
        if has_run_out:
            self.free()
            gc.collect()  # only now: the exception held the frames that hold the memory
        else:
            self._take()

    def _take(self) -> None:
        if self._block is None:
            try:
                # Twice as much, or what was just given up would be taken back from whoever now
                # has to type `del`.
                block = bytearray(2 * RESERVE_BYTES)
                del block[RESERVE_BYTES:]
            except MemoryError:
                return  # the user's code may free some
            self._block = block
