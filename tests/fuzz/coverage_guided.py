"""Coverage-guided runs with atheris: `python coverage_guided.py host|client -runs=N [folder]`.

A process of its own, for atheris ends the one that it runs in, and instruments what it imports.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import atheris
from atheris.import_hook import instrument_imports

sys.path.insert(0, str(Path(__file__).parents[2]))

with instrument_imports(
    include=["watchglass_server", "socketio.packet", "engineio.packet", "engineio.payload"]
):
    from tests.support.hostile_client import call_packet, take, take_payload
    from tests.support.hostile_host import HostileHost
    from tests.support.mutation import Mutation
    from watchglass_server.engine_io import MALFORMED

FRESH = 0.3


def host_target() -> tuple[Callable[[bytes], None], Callable[[Random], bytes]]:
    """What a process writes to its pipe."""
    host = HostileHost()

    def run(data: bytes) -> None:
        host.hear(data, 1 + len(data) % 3)

    return run, host.stream


def client_target() -> tuple[Callable[[bytes], None], Callable[[Random], bytes]]:
    """What a client sends over a WebSocket, and posts."""

    def run(data: bytes) -> None:
        take(data)
        take(data.decode("utf-8", "replace"))
        try:
            take_payload(data)
        except MALFORMED:
            return  # Engine.IO answers, and the connection goes on

    return run, lambda random: call_packet(random).encode()


TARGETS = {"host": host_target, "client": client_target}


def main(arguments: list[str]) -> None:
    """Run until a fault or the end of the runs: libFuzzer's flags, and its exit status."""
    run, fresh = TARGETS[arguments[1]]()

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        """Half by libFuzzer, half by what knows the form; at times something new."""
        random = Random(seed)
        chance = random.random()
        if chance < FRESH:
            return fresh(random)[:most]
        if chance < 0.6:
            return Mutation(random).damaged(data)[:most]
        return bytes(atheris.Mutate(data, most))

    atheris.Setup([arguments[0], *arguments[2:]], run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
