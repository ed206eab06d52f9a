"""What commands print, for people and for programs; the only file that knows rich."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from spacetimedb_bsatn import SpacetimeDBError
from spacetimedb_client.printing import printable

PROGRAM: Final = "spacetimedb-py"
YES: Final = frozenset({"y", "yes"})


class NotConfirmed(SpacetimeDBError):
    """Whoever was asked did not say yes."""


class Terminal:
    """Results go to standard output; questions, progress and errors to standard error."""

    def __init__(self, *, is_json: bool = False, says_yes: bool = False) -> None:
        self.is_json: Final = is_json
        self._says_yes = says_yes
        self._out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._aside = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def json(self, value: Any) -> None:
        """One line of JSON."""
        print(json.dumps(value, ensure_ascii=False), flush=True)

    def say(self, text: str, style: str = "") -> None:
        """A line of the result."""
        self._out.print(Text(printable(text), style))

    def note(self, text: str, style: str = "dim") -> None:
        """Something beside the result; programs do not want it."""
        if not self.is_json:
            self._aside.print(Text(printable(text), style))

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        made = Table(title=Text(printable(title)) if title else None, title_justify="left")
        for each in columns:
            made.add_column(Text(printable(each)), overflow="fold")
        for row in rows:
            made.add_row(*(Text(printable(each)) for each in row))
        # A table that is not drawn for a screen is as wide as it needs.
        width = None if self._out.is_terminal else 10_000
        self._out.print(made, soft_wrap=False, width=width)

    @contextmanager
    def progress(self, what: str) -> Iterator[None]:
        """Shows that something goes on, where somebody looks."""
        columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
        is_hidden = self.is_json or not self._aside.is_terminal
        with Progress(*columns, console=self._aside, transient=True, disable=is_hidden) as shown:
            shown.add_task(printable(what), total=None)
            yield

    def confirm(self, question: str) -> None:
        """Raises where the answer is not yes."""
        if self._says_yes:
            return
        if self.is_json or not sys.stdin.isatty():
            raise NotConfirmed(f"{question} Nobody is there to answer: pass --yes")
        self._aside.print(Text(f"{printable(question)} [y/N] ", "bold"), end="")
        if sys.stdin.readline().strip().lower() not in YES:
            raise NotConfirmed("nothing was done")

    def failed(self, problem: Exception) -> None:
        words = str(problem) or type(problem).__name__
        if self.is_json:
            told = {"error": {"type": type(problem).__name__, "message": words}}
            print(json.dumps(told, ensure_ascii=False), file=sys.stderr)
        else:
            self._aside.print(Text(f"{PROGRAM}: {printable(words)}", "red"))
