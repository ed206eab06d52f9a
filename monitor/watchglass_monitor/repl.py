"""PyodideREPL: numbering, history, running code as a Python prompt does, results and errors."""

import builtins
import contextvars
from collections.abc import Callable, Mapping, Sequence

from watchglass_monitor.display import Bundle, display, mime_bundle
from watchglass_monitor.execution import Cell, Compiler, Namespace
from watchglass_monitor.given_modules import GivenModules
from watchglass_monitor.history import History
from watchglass_monitor.host import Message
from watchglass_monitor.magic_commands import Magics
from watchglass_monitor.magics import MAGIC, transform
from watchglass_monitor.ownership import OWNER
from watchglass_monitor.tracebacks import ErrorReport, format_error, remember_source
from watchglass_monitor.wire import Variable

MAX_NAME_CHARS = 1000

Publish = Callable[[Message], None]


class PyodideREPL:
    """Runs executions in one namespace and publishes what comes out of them."""

    def __init__(
        self,
        namespace: Namespace,
        publish: Publish,
        variables: Callable[[], Sequence[Variable]],
        pip: Callable[[str], None],
    ) -> None:
        self.namespace = namespace
        self.history = History(namespace)
        self._compiler = Compiler()
        self._publish = publish
        self.modules = GivenModules()
        self._magics = Magics(namespace, variables, self._show_text, self.modules, pip)
        # Context variables that one execution sets are there in the next.
        self.context = contextvars.copy_context()

    def install(self) -> None:
        """Put the names that people expect at a prompt where code finds them."""
        self.history.install()
        for name in ("exit", "quit"):
            setattr(builtins, name, Exit(name))
        setattr(builtins, "display", display)  # noqa: B010
        setattr(builtins, MAGIC, self._magics)

    def begin(self, owner: int, number: int, code: str, *, store_history: bool) -> None:
        """An execution starts, as whoever all of its code and tasks will run."""
        self.context.run(OWNER.set, owner)
        if store_history:
            self.history.remember(number, code)

    def compile(self, number: int, code: str) -> Cell:
        """Raises what compiling raises."""
        cell = self._compiler.compile(transform(code), number)
        remember_source(number, code)  # the lines as they were typed
        return cell

    def run(self, cell: Cell) -> object:
        """The value of a cell without await."""
        return cell.run(self.namespace)

    async def run_async(self, cell: Cell) -> object:
        """The value of a cell with await."""
        return await cell.run_async(self.namespace)

    def show_result(self, cell: Cell, number: int, value: object, *, store_history: bool) -> None:
        """Publish the value of the last expression, unless it is None or was silenced."""
        if value is None or cell.is_silent:
            return
        if store_history:
            self.history.keep(number, value)
        self._publish({"type": "execute_result", "bundle": mime_bundle(value)})

    def show_error(self, exc: BaseException, number: int | None = None) -> None:
        """Publish an exception; `number` is the execution in which `line` is wanted."""
        try:
            report = format_error(exc, number)
        except BaseException as problem:
            # Its text would not come to an end, or an interrupt came while it was made.
            name = type(exc).__name__
            line = f"{name}: <its text could not be made: {type(problem).__name__}>"
            report = ErrorReport(name, "", [line], None)
        self._publish(
            {
                "type": "error",
                "name": report.name[:MAX_NAME_CHARS],
                "message": report.message,
                "traceback": report.traceback,
                "line": report.line,
            }
        )

    def restore(self, codes: Mapping[int, str]) -> None:
        """Take over the history of an earlier process, with the sources for tracebacks."""
        for number, code in codes.items():
            remember_source(number, code)
        self.history.restore(codes)

    def _show_text(self, text: str) -> None:
        bundle: Bundle = {"text/plain": text}
        self._publish({"type": "display_data", "bundle": bundle, "display_id": None})


class Exit:
    """exit and quit: end the execution; a session is ended from outside."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"{self._name}() ends this execution; restart the session for a fresh one."

    def __call__(self, code: object = None) -> None:
        raise SystemExit(code)
