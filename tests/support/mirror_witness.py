"""Test ⇄ a client of the mirror that is not ours: npm's SDK in a Node process."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import hatch_build
from tests.support.waiting import until

FOLDER = Path(__file__).parents[1] / "e2e/mirror_witness"
PROGRAM = FOLDER / "node_modules/.made/witness.mjs"
END_S = 10.0

Row = Mapping[str, Any]


def install() -> None:
    """npm's SDK, once for each state of the lock file, and the program, each time."""
    hatch_build.install_packages(FOLDER)
    hatch_build.run_npm(FOLDER, "run", "--silent", "build")


class Witness:
    """An identity of its own that has subscribed to one session, and what it has seen."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._told: list[dict[str, Any]] = []
        self._calls = 0
        self.identity = ""

    @classmethod
    @asynccontextmanager
    async def opened(cls, uri: str, database: str, session: str) -> AsyncIterator[Witness]:
        """Until the end of the body, with its subscription applied."""
        node = str(hatch_build.find_node()[0])
        process = await asyncio.create_subprocess_exec(
            node, str(PROGRAM), uri, database, session, cwd=FOLDER, stdin=PIPE, stdout=PIPE
        )
        witness = cls(process)
        reading = asyncio.create_task(witness._read())
        try:
            await until(lambda: witness.identity or reading.done())
            assert witness.identity, "the witness did not start: see what Node has said"
            yield witness
        finally:
            await witness._close()
            await reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            with suppress(ValueError):  # words of the SDK's own
                told = json.loads(line)
                self._told.append(told)
                if told["what"] == "ready":
                    self.identity = told["identity"]

    async def _close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), END_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def came(self, table: str, **columns: object) -> list[Row]:
        """Each state that rows with these columns have had, in the order in which they came."""
        return [
            told["row"]
            for told in self._told
            if told["what"] in ("insert", "update")
            and told["table"] == table
            and columns.items() <= told["row"].items()
        ]

    def tables(self) -> set[str]:
        """Those of which a row has come."""
        return {told["table"] for told in self._told if "row" in told}

    async def call(self, session: str, action: Mapping[str, Any]) -> tuple[str, Any]:
        """Call the reducer: the key it had, and how the call ended, as the SDK says it."""
        self._calls += 1
        key = f"k{self._calls}"
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([key, session, action]).encode() + b"\n")
        ended = {"what": "call", "key": key}
        await until(lambda: any(ended.items() <= told.items() for told in self._told))
        (told,) = [told for told in self._told if ended.items() <= told.items()]
        return key, told["status"]

    async def command(self, session: str, action: Mapping[str, Any]) -> Row:
        """Call the reducer; its answer, which is a row."""
        key, status = await self.call(session, action)
        assert status["tag"] == "Committed", status
        await until(lambda: self.came("commandResult", command=key))
        (answer,) = self.came("commandResult", command=key)
        return answer
