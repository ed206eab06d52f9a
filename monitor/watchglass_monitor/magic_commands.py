"""What the magics do: %who, %whos, %time, %timeit, %reset, %%reload, %pip and `name?`."""

import inspect
import sys
import time
import timeit
from collections.abc import Callable, Sequence

from watchglass_monitor.execution import Namespace
from watchglass_monitor.given_modules import GivenModules
from watchglass_monitor.inspection import inspect_at
from watchglass_monitor.wire import Variable

REPEATS = 7
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_NO_SHELL = (
    "There is no shell here: the session is jailed and has no programs to start. "
    "Use Python instead, for example os.listdir(), pathlib or shutil."
)

Show = Callable[[str], None]


class Magics:
    """The commands, by the text that starts their line."""

    def __init__(
        self,
        namespace: Namespace,
        variables: Callable[[], Sequence[Variable]],
        show: Show,
        modules: GivenModules,
        pip: Callable[[str], None],
    ) -> None:
        self._namespace = namespace
        self._modules = modules
        self._variables = variables
        self._show = show
        self._commands: dict[str, Callable[..., None]] = {
            "?": self._help,
            "??": self._source,
            "!": lambda _: self._complain(_NO_SHELL),
            "%who": self._who,
            "%whos": self._whos,
            "%time": self._time,
            "%%time": self._time,
            "%timeit": self._timeit,
            "%%timeit": self._timeit,
            "%reset": self._reset,
            "%reload": self._reload,
            "%%reload": self._reload,
            "%pip": pip,
            "%matplotlib": lambda _: None,
        }

    def __call__(self, name: str, *arguments: str) -> None:
        command = self._commands.get(name)
        if command is None:
            known = ", ".join(sorted(each for each in self._commands if each.startswith("%")))
            self._complain(f"There is no magic {name}. There are {known}, name? and name??.")
            return
        command(*arguments)

    def _complain(self, message: str) -> None:
        print(message, file=sys.stderr)

    def _help(self, name: str) -> None:
        found = inspect_at(name, len(name), self._namespace)
        if not found.found:
            self._complain(f"There is no object {name!r} in this session.")
            return
        fields = (
            ("Signature:", found.signature or ""),
            ("Type:", found.type or ""),
            ("Docstring:", found.docstring or "<no docstring>"),
        )
        lines = [_labelled(label, text) for label, text in fields if text]
        self._show("\n".join(lines))

    def _source(self, name: str) -> None:
        try:
            source = inspect.getsource(eval(name, self._namespace))
        except (OSError, TypeError, NameError, AttributeError, LookupError, SyntaxError):
            self._help(name)
            return
        self._show(_labelled("Source:", source))

    def _who(self, kinds: str) -> None:
        names = [each["name"] for each in self._shown(kinds)]
        print("\t ".join(names) if names else "Interactive namespace is empty.")

    def _whos(self, kinds: str) -> None:
        shown = self._shown(kinds)
        if not shown:
            print("Interactive namespace is empty.")
            return
        width = max(len("Variable"), *(len(each["name"]) for each in shown))
        types = max(len("Type"), *(len(each["type"]) for each in shown))
        print(f"{'Variable':<{width}}   {'Type':<{types}}   Data/Info")
        print("-" * (width + types + 15))
        for each in shown:
            print(f"{each['name']:<{width}}   {each['type']:<{types}}   {each['preview']}")

    def _shown(self, kinds: str) -> list[Variable]:
        wanted = kinds.split()
        return [
            each
            for each in self._variables()
            if not each.get("hidden") and (not wanted or each["type"] in wanted)
        ]

    def _time(self, statement: str, body: str = "") -> None:
        code = compile(f"{statement}\n{body}", "<time>", "exec")
        wall, cpu = time.perf_counter(), time.process_time()
        exec(code, self._namespace)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"CPU times: {_seconds(cpu)}\nWall time: {_seconds(wall)}")

    def _timeit(self, statement: str, body: str = "") -> None:
        loops, repeats, statement = _timeit_options(statement)
        setup = statement if body else "pass"
        timer = timeit.Timer(body or statement, setup, globals=self._namespace)
        if loops == 0:
            loops, _ = timer.autorange()
        times = [elapsed / loops for elapsed in timer.repeat(repeats, loops)]
        mean = sum(times) / len(times)
        deviation = (sum((each - mean) ** 2 for each in times) / len(times)) ** 0.5
        print(
            f"{_seconds(mean)} ± {_seconds(deviation)} per loop "
            f"(mean ± std. dev. of {repeats} runs, {loops:,} loops each)"
        )

    def _reset(self, options: str) -> None:
        if "-f" not in options.split():
            question = "Once deleted, variables cannot be recovered. Proceed (y/[n])? "
            if input(question).strip().lower() not in ("y", "yes"):
                print("Nothing done.")
                return
        for each in self._variables():
            self._namespace.pop(each["name"], None)

    def _reload(self, options: str, text: str | None = None) -> None:
        path, _, version = options.strip().partition(" ")
        if not path.endswith(".py"):
            self._complain("Say which file: %reload units.py")
            return
        if text is not None:
            self._modules.give(path, version.strip(), text)
        self._modules.reload(path, self._namespace)


def _timeit_options(text: str) -> tuple[int, int, str]:
    """Loops (0: find out), repeats, and the statement behind the options."""
    loops, repeats = 0, REPEATS
    while text[:2] in ("-n", "-r"):
        option, rest = text[:2], text[2:].lstrip()
        number, _, text = rest.partition(" ")
        if not number.isdigit() or int(number) == 0:
            raise ValueError(f"%timeit {option} needs a number above 0, not {number!r}")
        loops, repeats = (int(number), repeats) if option == "-n" else (loops, int(number))
        text = text.lstrip()
    return loops, repeats, text


def _seconds(value: float) -> str:
    for unit, name in _UNITS:
        if value >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value * 1e9:.3g} ns"


def _labelled(label: str, text: str) -> str:
    separator = "\n" if "\n" in text else " "
    return f"{label}{separator}{text}"
