"""Each program of examples/, run by a real server; and by the commands of its README."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.client import Client
from tests.support.serving import Serving

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.slow


def program(name: str) -> str:
    return (EXAMPLES / name).read_text()


async def test_turtle_race_shows_its_units_moving_and_names_the_winner(client: Client) -> None:
    session = await client.create(name="race")
    ran = await client.run(session, program("turtle_race.py"))
    assert ran.stdout.endswith("Donna wins after 61 ticks.\n")
    assert ran.stdout.count("@") == 7 * 4
    assert ran.result is not None
    assert ran.result.startswith("[Turtle('Donna', x=60.")
    log = client.log(session)
    assert log.variables["turtles"]["length"] == 4
    ticks_seen = [
        change["variable"]["value"]
        for event in log.events.values()
        if event["type"] == "variables.changed" and event["data"]["running"]
        for change in event["data"]["changes"]
        if change["name"] == "tick"
    ]
    assert len(ticks_seen) >= 3, "a race of more than a second is to be seen while it runs"
    assert ticks_seen == sorted(ticks_seen)


async def test_a_turtle_of_the_race_can_be_moved_from_a_panel(client: Client) -> None:
    session = await client.create()
    await client.run(session, program("turtle_race.py"))
    path = ["turtles", {"index": 3}, {"attr": "x"}]
    await client.call("variable.set", session=session, path=path, value=99.5)
    ran = await client.run(session, "max(turtles, key=lambda t: t.x)")
    assert ran.result == "Turtle('Leo', x=99.5)"


async def test_word_count_reads_the_text_that_its_owner_handed_over(client: Client) -> None:
    session = await client.create()
    text = program("lighthouse.txt")
    await client.call("variable.set", session=session, name="text", value=text)
    ran = await client.run(session, program("count_words.py"))
    assert ran.result == "[('ship', 7), ('keeper', 5), ('tide', 5)]"
    assert "5 paragraphs, 18 sentences, 349 words, 153 different ones." in ran.stdout
    assert await client.value(session, "title") == "THE KEEPER AND THE TIDE"


async def test_word_count_without_a_text_says_what_is_missing(client: Client) -> None:
    session = await client.create()
    ran = await client.execute(session, program("count_words.py"))
    assert ran.status == "error"
    assert ran.error is not None
    assert ran.error["name"] == "NameError"
    assert "'text'" in ran.error["message"]


async def test_market_goes_on_in_the_background_and_can_be_traded_with(client: Client) -> None:
    session = await client.create()
    opened = await client.run(session, program("market.py"))
    assert opened.stdout == "The market is open: it goes on while you type.\n"
    log = client.log(session)
    await log.until(lambda: log.variables["history"]["length"] >= 20, "20 prices")
    bought = await client.run(session, "buy(3)")
    assert bought.result is not None
    assert bought.result.startswith("'3 bought at ")
    assert log.variables["shares"]["value"] == 3
    assert log.variables["cash"]["value"] < 1000
    report = await log.event("stream", after=log.seq, execution=opened.execution)
    assert "prices, now" in report["data"]["text"], "it is attributed to the execution it came from"
    await client.run(session, "stop()")
    await log.until(
        lambda: log.ran(opened.execution).stdout.endswith("The market is closed.\n"), "closing"
    )


async def test_life_is_drawn_as_svg_and_as_text(client: Client) -> None:
    session = await client.create()
    ran = await client.run(session, program("life.py"))
    log = client.log(session)
    shown = await log.event("execute_result", execution=ran.execution)
    bundle = shown["data"]["bundle"]
    assert bundle["image/svg+xml"].count("<rect") == 8
    assert bundle["text/plain"].count("#") == 8
    assert log.variables["population"]["value"] == 8


async def test_the_python_client_of_the_readme_runs_a_program_over_a_file(server: Serving) -> None:
    done = await command(
        sys.executable,
        str(EXAMPLES / "run_over_file.py"),
        server.address,
        str(EXAMPLES / "count_words.py"),
        str(EXAMPLES / "lighthouse.txt"),
    )
    assert done.endswith("[('ship', 7), ('keeper', 5), ('tide', 5)]\n")


async def test_the_race_runs_from_the_command_line_without_a_page(tmp_path: Path) -> None:
    watchglass = str(Path(sys.executable).with_name("watchglass"))
    done = await command(watchglass, "run", str(EXAMPLES / "turtle_race.py"))
    assert done.endswith("Donna wins after 61 ticks.\n")


async def command(*arguments: str) -> str:
    """What it printed; it has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    return stdout.decode()
