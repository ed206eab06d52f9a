"""input(), getpass and sys.stdin: a question to whoever is in the session."""

import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from watchglass_monitor.host import Gate, Host, Message
from watchglass_monitor.interrupts import Interrupts
from watchglass_monitor.suspension import Suspender

BLOCKED_WAIT_MS = 1000
MAX_PROMPT_CHARS = 10_000

Publish = Callable[[Message], None]


@dataclass(eq=False)
class Question:
    """One input that is waited for."""

    gate: Gate | None = None
    answered: bool = False
    text: str | None = None  # None: the end of the input


class Prompt:
    """Asks, and waits without blocking the event loop where that is possible."""

    def __init__(
        self, host: Host, suspender: Suspender, interrupts: Interrupts, publish: Publish
    ) -> None:
        self._host = host
        self._suspender = suspender
        self._interrupts = interrupts
        self._publish = publish
        self._questions: dict[int, Question] = {}
        self._numbers = itertools.count(1)
        self.is_refused: Callable[[], bool] = bool

    def ask(self, prompt: str, *, password: bool) -> str:
        """The line that somebody typed; EOFError at the end of the input."""
        if self.is_refused():
            raise EOFError("nobody is asked for the sake of a watch")
        number = next(self._numbers)
        question = self._questions[number] = Question()
        shown = prompt[-MAX_PROMPT_CHARS:]
        request: Message = {"request": number, "prompt": shown, "password": password}
        self._publish({"type": "input_request", **request})
        try:
            self._wait(question)
        except BaseException:
            if not question.answered:
                self._publish({"type": "input_cancelled", "request": number})
            raise
        finally:
            del self._questions[number]
        if question.text is None:
            raise EOFError("EOF when reading a line")
        return question.text

    def _wait(self, question: Question) -> None:
        while not question.answered:
            if self._suspender.available():
                question.gate = self._host.gate(0)
                # A quick answer may have come while there was no gate for it to open.
                if not question.answered:
                    self._suspender.suspend(question.gate)
            else:
                self._host.wait(BLOCKED_WAIT_MS)
                self._interrupts.safe_point()

    def answer(self, number: int, text: str | None) -> None:
        """Somebody typed a line, or None for the end of the input; too late is no error."""
        question = self._questions.get(number)
        if question is None:
            return
        question.answered = True
        question.text = text
        if question.gate is not None:
            question.gate.open()

    def input(self, prompt: object = "", /) -> str:
        """Read a line of input, without its newline, after showing the prompt."""
        return self.ask(str(prompt), password=False)

    def getpass(
        self, prompt: str = "Password: ", stream: object = None, *, echo_char: str | None = None
    ) -> str:
        """Read a line of input that is not shown."""
        del stream, echo_char  # the page shows nothing anyway
        return self.ask(str(prompt), password=True)


class StandardInput(io.TextIOBase):
    """sys.stdin: each line is a question without a prompt."""

    encoding = "utf-8"
    errors = "strict"
    name = "<stdin>"
    mode = "r"

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self._rest = ""

    def readable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return 0

    # mypy holds readline of all streams against that of binary ones.
    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        if not self._rest:
            self._rest = self._ask()
        end = len(self._rest) if size is None or size < 0 else size
        line, self._rest = self._rest[:end], self._rest[end:]
        return line

    def read(self, size: int | None = -1, /) -> str:
        if size is not None and size >= 0:
            return self.readline(size)
        text = ""
        while line := self.readline():
            text += line
        return text

    def _ask(self) -> str:
        try:
            return self._prompt.ask("", password=False) + "\n"
        except EOFError:
            return ""
