"""The documents keep their promises: what they name is there, what they tell to run runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.spacetimedb_server import BINARY

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"```sh\n(.*?)```", re.DOTALL)
NAMED_FILE = re.compile(r"`([\w.-]*(?:/[\w.-]+)*/?[\w-]+\.(?:py|mjs|ts|md|json|toml|txt|css))`")
# A page of the architecture names files by their last part where the folder has been said.
SYNC = "sync/watchglass_sync"
JAIL = "jail/watchglass_jail"
BSATN, CLIENT = "sdk/spacetimedb_bsatn", "sdk/spacetimedb_client"
PARTS = ("codegen", "module", "protocol", "subcommands")
FOLDERS = (
    *("server/watchglass_server", "monitor/watchglass_monitor", SYNC, JAIL),
    *(BSATN, CLIENT, *(f"{CLIENT}/{part}" for part in PARTS)),
    *("node_host/src", "web/src", "tests/support", "tests/vectors", "."),
)


def text_of(document: str) -> str:
    return (ROOT / document).read_text()


def headings_of(text: str) -> set[str]:
    """As GitHub makes anchors of them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def commands_of(document: str) -> list[str]:
    lines = "".join(FENCE.findall(text_of(document))).replace("\\\n", " ").splitlines()
    return [line.partition(" #")[0].strip() for line in lines if line.strip()]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_a_file_and_a_heading(document: str) -> None:
    for target in LINK.findall(text_of(document)):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / document).parent / path if path else ROOT / document
        assert file.exists(), f"{document} links to {target}"
        if anchor:
            assert anchor in headings_of(file.read_text()), f"{document} links to {target}"


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_files_that_are_named_exist(document: str) -> None:
    named = set(NAMED_FILE.findall(text_of(document)))
    missing = [
        name for name in sorted(named) if not any((ROOT / f / name).exists() for f in FOLDERS)
    ]
    assert named
    assert not missing


@pytest.mark.parametrize(
    "folder", ["server/watchglass_server", "node_host/src", SYNC, JAIL, BSATN, CLIENT]
)
def test_architecture_leaves_out_no_file(folder: str) -> None:
    page = text_of("docs/architecture.md")
    found = (ROOT / folder).rglob("*.*") if folder == CLIENT else (ROOT / folder).glob("*.*")
    files = {path.name for path in found if path.suffix in {".py", ".mjs"}}
    assert not [name for name in sorted(files - {"__init__.py"}) if f"{name}`" not in page]


def test_architecture_is_right_about_what_is_imported_in_one_place_only() -> None:
    importing = {
        path.name
        for path in (ROOT / "server/watchglass_server").rglob("*.py")
        if re.search(r"^(import|from) subprocess\b", path.read_text(), re.MULTILINE)
    }
    assert importing == {"child.py"}
    assert "`subprocess` is imported in `child.py`" in text_of("docs/architecture.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_that_are_told_are_there(document: str) -> None:
    for command in commands_of(document):
        match shlex.split(command):
            case ["make", target, *_]:
                assert exit_status("make", "--dry-run", target) == 0, command
            case ["watchglass", "mirror", doing, *arguments]:
                assert_flags_exist("watchglass", f"mirror {doing}", arguments, command)
            case ["watchglass" | "spacetimedb-py" as program, subcommand, *arguments]:
                assert_flags_exist(program, subcommand, arguments, command)
                assert_files_exist(arguments, command)
            case ["python", *arguments]:
                assert_files_exist(arguments, command)
            case ["pip", "install", "."]:
                pass  # tests/e2e/test_wheel.py
            case ["spacetime", "generate", *_]:
                pass  # tests/e2e/mirror_witness/bindings/ORIGIN.md
            case [program, "start", *_] if program.startswith("~/.cache/watchglass/"):
                assert Path(program).name == BINARY.name, command
            case _:
                pytest.fail(f"{document} tells to run {command!r}, and no test knows it")


def test_make_help_has_a_line_for_every_chore() -> None:
    targets = re.search(r"^\.PHONY: (.+)$", text_of("Makefile"), re.MULTILINE)
    assert targets
    # Whoever runs the tests runs them by make, too, and an inner make would say so.
    command = ["make", "--no-print-directory", "help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert set(targets[1].split()) - {"chromium"} == listed


def test_continuous_integration_runs_the_command_of_the_readme_and_nothing_else() -> None:
    *_, last = text_of(".ci/run").splitlines()
    assert last == "exec make check test"
    assert "make test" in commands_of("README.md")


def assert_files_exist(arguments: list[str], command: str) -> None:
    for argument in arguments:
        if argument.startswith("examples/"):
            assert (ROOT / argument).exists(), command


def assert_flags_exist(program: str, subcommand: str, arguments: list[str], command: str) -> None:
    asked = [installed(program), *subcommand.split(), "--help"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, command
    told = set(re.findall(r"--?[\w-]+", done.stdout))
    assert {argument for argument in arguments if argument.startswith("-")} <= told, command


def installed(program: str) -> str:
    return str(Path(sys.executable).with_name(program))


def watchglass() -> str:
    return installed("watchglass")


def exit_status(*command: str) -> int:
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode
