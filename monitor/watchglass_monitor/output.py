"""sys.stdout and sys.stderr of the user's code: in order, and never held back."""

import io
import sys

STDOUT = 1
STDERR = 2
LONE_SURROGATES = "surrogatepass"  # the way to the page carries them, so printing one is no error


class StandardError(io.TextIOWrapper):
    """Unbuffered, and never overtaken by what stdout still holds."""

    before: "Output"

    def write(self, text: str, /) -> int:
        self.before.flush()
        written = super().write(text)
        self.flush()
        return written


class Output:
    """The two streams, in which the host sees every write."""

    def __init__(self) -> None:
        self.stdout = self._open_stdout()
        self.stderr = self._open_stderr()

    def _open_stdout(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(_writer(STDOUT, "<stdout>"), "utf-8", LONE_SURROGATES, None, True)

    def _open_stderr(self) -> StandardError:
        stderr = StandardError(_writer(STDERR, "<stderr>"), "utf-8", LONE_SURROGATES, None, True)
        stderr.before = self
        return stderr

    def install(self) -> None:
        """Undo what an execution has done to the streams, by close() or by assignment."""
        if self.stdout.closed:
            self.stdout = self._open_stdout()
        if self.stderr.closed:
            self.stderr = self._open_stderr()
        sys.stdout = sys.__stdout__ = self.stdout  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = self.stderr  # type: ignore[misc]

    def flush(self) -> None:
        """Hand on an unfinished line. May be called between any two bytecodes."""
        try:
            self.stdout.flush()
        except (RuntimeError, ValueError, OSError):
            # Inside a write of that stream, or the user closed it.
            return


def _writer(descriptor: int, name: str) -> io.BufferedWriter:
    raw = io.FileIO(descriptor, "wb", closefd=False)
    raw.name = name
    return io.BufferedWriter(raw)
