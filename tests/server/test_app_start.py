"""Starting a real server where it cannot start: one clear line, exit status 2, no traceback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.serving import Serving, children_of

pytestmark = pytest.mark.slow


def serve(
    folder: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What `watchglass serve` does when it has to give up."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "watchglass_server", "serve", *arguments],
        env={"HOME": str(home), "PATH": os.environ["PATH"], **(environment or {})},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def assert_refused(found: subprocess.CompletedProcess[str], *words: str) -> None:
    assert found.returncode == 2, found
    assert found.stdout == ""
    assert "Traceback" not in found.stderr
    last = found.stderr.strip().splitlines()[-1]
    for word in words:
        assert word in last, last


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        found = serve(tmp_path, "--port", port, "--data-dir", str(tmp_path / "d"))
    assert_refused(found, port, "in use", "--port")


def test_an_address_that_is_not_ours_is_said(tmp_path: Path) -> None:
    found = serve(tmp_path, "--host", "192.0.2.1", "--data-dir", str(tmp_path / "d"))
    assert_refused(found, "192.0.2.1", "--host")
    found = serve(tmp_path, "--host", "no such host", "--data-dir", str(tmp_path / "d"))
    assert_refused(found, "no such host", "--host")


def test_a_data_directory_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    found = serve(tmp_path, "--port", "0", "--data-dir", str(tmp_path / "file" / "d"))
    assert_refused(found, "--data-dir")
    found = serve(tmp_path, "--port", "0", "--data-dir", "/proc/nosuch")
    assert_refused(found, "--data-dir")


def test_a_broken_journal_is_said_and_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "journal.sqlite3").write_bytes(b"this is no database" * 1000)
    found = serve(tmp_path, "--port", "0", "--data-dir", str(folder))
    assert_refused(found, "journal.sqlite3", "mv ")
    assert (folder / "journal.sqlite3").read_bytes().startswith(b"this is no database")


def test_a_data_directory_that_another_server_holds_is_said(
    tmp_path: Path, cache_dir: Path
) -> None:
    with Serving(tmp_path, "--pool-min-size", "1", cache_dir=cache_dir) as first:
        found = serve(tmp_path, "--port", "0", "--data-dir", str(first.data_dir))
        assert_refused(found, "in use", str(first.pid), "--data-dir")


def test_a_machine_without_node_is_said(tmp_path: Path) -> None:
    for node in ("/nosuch/node", "false"):
        found = serve(
            tmp_path, "--port", "0", "--data-dir", str(tmp_path / node.strip("/")),
            environment={"WATCHGLASS_NODE": node},
        )  # fmt: skip
        assert_refused(found)
        assert "WATCHGLASS_NODE" in found.stderr or "watchglass doctor" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--port", "99999"), ("--port", "65535")),
        (("--port", "x"), ("--port",)),
        (("--token", "short"), ("--token", "16")),
        (("--pool-max-size", "1"), ("--pool-max-size", "--pool-min-size")),
        (("--idle-limit", "soon"), ("--idle-limit", "30m")),
        (("--memory-limit", "much"), ("--memory-limit", "512M")),
        (("--allow-origin", "example.org"), ("--allow-origin", "https://")),
        (("--isolation", "some"), ("--isolation", "strict, process")),
        (("--spacetimedb", "x/y"), ("--spacetimedb",)),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_setting_that_cannot_be_is_said(
    tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert_refused(serve(tmp_path, *arguments), *words)


def test_a_variable_that_cannot_be_is_said_by_its_name(tmp_path: Path) -> None:
    found = serve(tmp_path, environment={"WATCHGLASS_PORT": "x"})
    assert_refused(found, "WATCHGLASS_PORT")


def test_the_isolation_in_force_is_said_and_nothing_else_is_printed(
    tmp_path: Path, cache_dir: Path
) -> None:
    with Serving(tmp_path, "--pool-min-size", "1", cache_dir=cache_dir) as serving:
        assert "watchglass: isolation strict: each session is held by Landlock" in serving.words()
        assert serving.token not in serving.words()
        assert (serving.data_dir / "server.json").stat().st_mode & 0o777 == 0o600
        status, printed = serving.stop()
    assert (status, printed) == (0, "")


def test_without_a_jail_the_start_says_what_that_gives_up(tmp_path: Path, cache_dir: Path) -> None:
    flags = ("--pool-min-size", "1", "--isolation", "process")
    with Serving(tmp_path, *flags, cache_dir=cache_dir) as serving:
        assert "watchglass: isolation process: " in serving.words()
        assert "no jail around it" in serving.words()
        assert "let in only people you trust" in serving.words()


def test_a_server_that_is_killed_takes_zygote_and_sessions_along(
    tmp_path: Path, cache_dir: Path
) -> None:
    with Serving(tmp_path, "--pool-min-size", "2", cache_dir=cache_dir) as serving:
        family = set(descendants(serving.pid))
        assert len(family) >= 3
        serving.kill()
        deadline = time.monotonic() + 10
        while living := [pid for pid in family if is_alive(pid)]:
            assert time.monotonic() < deadline, living
            time.sleep(0.02)


def test_a_zygote_that_is_killed_is_said_and_replaced(tmp_path: Path, cache_dir: Path) -> None:
    with Serving(tmp_path, "--pool-min-size", "1", cache_dir=cache_dir) as serving:
        (zygote,) = children_of(serving.pid)
        os.kill(zygote, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while zygote in children_of(serving.pid) or not serving.children():
            assert time.monotonic() < deadline, serving.words()
            time.sleep(0.02)
        assert "the zygote ended with -9" in serving.words()


def descendants(pid: int) -> list[int]:
    return [each for child in children_of(pid) for each in (child, *descendants(child))]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_sigterm_before_it_is_ready_ends_it_cleanly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "watchglass_server", "serve", "--port", "0", "--data-dir", "d"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    process.stderr.readline()  # of the image or the isolation: from here on it has begun
    process.terminate()
    printed, words = process.communicate(timeout=20)
    assert (process.returncode, printed) == (0, "")
    assert "Traceback" not in words
