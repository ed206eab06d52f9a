"""%pip inside the session: what it asks, what it shows meanwhile, and what lies where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.kernel_host import HandHost
from tests.support.wheels import hostile_wheel, make_wheel
from watchglass_monitor.interrupts import Interrupts
from watchglass_monitor.ownership import Ownership
from watchglass_monitor.packages import Packages
from watchglass_monitor.suspension import Suspender


class Inside:
    """Packages of one process, with a server that the test plays."""

    def __init__(self, folder: Path) -> None:
        self.host = HandHost()
        self.sent: list[dict[str, Any]] = []
        ownership = Ownership(self.host.own, lambda: None)
        interrupts = Interrupts(self.host, ownership)
        self.packages = Packages(
            self.host,
            Suspender(self.host, ownership, interrupts),
            interrupts,
            self.sent.append,
            str(folder),
        )

    def answer(self, *told: Callable[[], None]) -> None:
        """What the server says, one thing each time that the session waits."""
        left = list(told)

        def on_wait() -> None:
            left.pop(0)()

        self.host.on_wait = on_wait

    def say(self, *lines: str, done: bool = False, ok: bool = True) -> Callable[[], None]:
        number = len(self.sent) or 1
        return lambda: self.packages.told(number, lines, done=done, ok=ok)


@pytest.fixture
def inside(tmp_path: Path) -> Inside:
    return Inside(tmp_path / "site-packages")


def test_it_asks_with_the_words_and_shows_what_comes(
    inside: Inside, capsys: pytest.CaptureFixture[str]
) -> None:
    inside.answer(
        inside.say("Collecting a"), inside.say("Downloading a"), inside.say("Done", done=True)
    )
    inside.packages.pip("install 'a>=1' -q  # for the game")
    assert inside.sent == [
        {"type": "package_request", "request": 1, "words": ["install", "a>=1", "-q"]}
    ]
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("Collecting a\nDownloading a\nDone\n", "")


def test_a_refusal_goes_to_stderr_and_what_came_before_does_not(
    inside: Inside, capsys: pytest.CaptureFixture[str]
) -> None:
    inside.answer(inside.say("Collecting a"), inside.say("ERROR: no", done=True, ok=False))
    inside.packages.pip("install a")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("Collecting a\n", "ERROR: no\n")


def test_an_interrupt_takes_the_request_back(inside: Inside) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    inside.answer(interrupt)
    with pytest.raises(KeyboardInterrupt):
        inside.packages.pip("install a")
    assert [message["type"] for message in inside.sent] == ["package_request", "package_cancelled"]
    inside.packages.told(1, ["too late"], done=True, ok=True)


def test_more_words_than_a_message_takes_are_not_sent(inside: Inside) -> None:
    inside.answer(inside.say(done=True))
    inside.packages.pip("install " + "x" * 2000 + " a" * 500)
    (message,) = inside.sent
    assert len(message["words"]) == 200
    assert len(message["words"][1]) == 1000


def test_a_wheel_is_unpacked_listed_shown_replaced_and_removed(
    inside: Inside, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "site-packages"
    old = make_wheel("The.Game", "1.0", files={"game/__init__.py": b"", "game/old.py": b""})
    inside.packages.install("the-game", old.data)
    (folder / "game" / "__pycache__").mkdir()
    assert (folder / "game" / "old.py").exists()
    new = make_wheel("the-game", "2.0", files={"game.py": b""}, requires=["dice"])
    inside.packages.install("the-game", new.data)
    assert sorted(path.name for path in folder.iterdir()) == ["game.py", "the_game-2.0.dist-info"]
    inside.packages.pip("list")
    inside.packages.pip("freeze")
    inside.packages.pip("show the_game never")
    assert capsys.readouterr().out.splitlines() == [
        "Package  Version",
        "-------- -------",
        "the-game 2.0",
        "the-game==2.0",
        "Name: the-game",
        "Version: 2.0",
        "Summary: ",
        "Requires: dice",
    ]
    inside.packages.remove("THE_GAME")
    assert list(folder.iterdir()) == []
    inside.packages.remove("the-game")
    inside.packages.pip("show the-game")
    assert "not found: the-game" in capsys.readouterr().err


def test_a_record_that_names_files_elsewhere_deletes_nothing_there(
    inside: Inside, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("x")
    inside.packages.install("evil", make_wheel("evil").data)
    record = tmp_path / "site-packages" / "evil-1.0.dist-info" / "RECORD"
    record.write_text(f"../kept.txt,,\n{kept},,\nevil.py,,\n")
    inside.packages.remove("evil")
    assert kept.exists()
    assert list((tmp_path / "site-packages").iterdir()) == []


def test_what_leads_out_of_the_folder_is_not_unpacked(inside: Inside, tmp_path: Path) -> None:
    inside.packages.install("evil", hostile_wheel({"../out.py": b"", "/out.py": b""}).data)
    names = {path.name for path in (tmp_path / "site-packages").iterdir()}
    assert names == {"evil.py", "evil-1.0.dist-info"}
    assert not (tmp_path / "out.py").exists()
