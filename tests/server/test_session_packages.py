"""%pip in a session's rules: whose line it is, what it may, and that nobody else's counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.session_script import Script
from watchglass_server import host_messages as h
from watchglass_server import session_inputs as i
from watchglass_server.package_policy import PackagePolicy
from watchglass_server.pictures import Package
from watchglass_server.session_packages import REQUESTS, REQUESTS_MOST

FREE_FOR_OWNER = PackagePolicy(owner="free", shared="off")


def session(policy: PackagePolicy = FREE_FOR_OWNER) -> Script:
    script = Script().started()
    script.session = replace(script.session, policy=policy)
    return script


def ask(script: Script, *words: str, number: int | None = None, request: int = 1) -> None:
    running = script.session.running
    number = number or (running.number if running else 1)
    script.said(h.PackageRequest(number, request, list(words)))


def package(name: str, version: str = "1.0", **fields: object) -> Package:
    return Package(
        name=name, version=version, filename=f"{name}-{version}-py3-none-any.whl",
        sha256="0" * 64, unpacked_bytes=10, state="installed",
        **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def refusal(script: Script) -> str:
    assert not script.asked(i.InstallPackages)
    (answer,) = script.asked(i.AnswerPackages)
    assert not answer.ok
    return answer.lines[0]


def installed(script: Script, *packages: Package, code: str = "%pip install a") -> Script:
    """With these packages, by an execution that has ended."""
    script.execute(code, "setup", by_owner=True)
    ask(script, *code.split()[1:])
    script.apply(i.PackagesReady(script.session.generation, 1, packages))
    script.finish()
    script.actions.clear()
    return script


def test_what_the_owner_types_is_installed_and_told() -> None:
    script = session()
    script.execute("%pip install a 'b>=2'", by_owner=True)
    ask(script, "install", "a", "b>=2")
    (asked,) = script.asked(i.InstallPackages)
    assert [str(one) for one in asked.command.requirements] == ["a", "b>=2"]
    assert (asked.permission.index, asked.permission.folder) == (True, False)
    script.apply(i.PackagesReady(1, 1, (package("b", "2.0"), package("a"))))
    (told,) = script.events("packages.changed")
    assert [(one["name"], one["version"]) for one in told["packages"]] == [
        ("a", "1.0"),
        ("b", "2.0"),
    ]
    assert told["execution"] == "e1"
    (answer,) = script.asked(i.AnswerPackages)
    assert (answer.ok, answer.lines) == (True, ("Successfully installed a-1.0 b-2.0",))
    assert script.refolded() == script.session.fold
    assert [one.name for one in script.session.fold.packages] == ["a", "b"]


def test_who_came_by_a_share_link_installs_nothing_by_default() -> None:
    script = session()
    script.execute("%pip install a", author="Guest")
    ask(script, "install", "a")
    assert "came in by a share link cannot install" in refusal(script)


def test_a_share_link_may_where_the_operator_says_so() -> None:
    script = session(PackagePolicy(owner="free", shared="free"))
    script.execute("%pip install a", author="Guest")
    ask(script, "install", "a")
    assert script.asked(i.InstallPackages)[0].permission.index


def test_listed_allows_what_is_on_the_list() -> None:
    policy = PackagePolicy(owner="listed", allowed=frozenset({"rich-text"}))
    script = session(policy)
    script.execute("%pip install Rich_Text", by_owner=True)
    ask(script, "install", "Rich_Text")
    assert script.asked(i.InstallPackages)[0].permission.index
    other = session(policy)
    other.execute("%pip install rich-text evil", by_owner=True)
    ask(other, "install", "rich-text", "evil")
    assert "evil is not on it; on it: rich-text" in refusal(other)


def test_the_folder_of_wheels_is_for_everyone_and_for_nothing_else() -> None:
    script = session(PackagePolicy(owner="off", shared="off", has_folder=True))
    script.execute("%pip install a", author="Guest")
    ask(script, "install", "a")
    (asked,) = script.asked(i.InstallPackages)
    assert (asked.permission.index, asked.permission.folder) == (False, True)
    assert asked.permission.why_not


@pytest.mark.parametrize(
    "code",
    ["x = 1", "%pip install a", "%pip install evil-tools", "# install evil", "print('evil')"],
)
def test_a_name_that_the_author_did_not_type_is_not_installed(code: str) -> None:
    script = session()
    script.execute(code, by_owner=True)
    ask(script, "install", "evil")
    assert "type the line `%pip install NAME`" in refusal(script)


@pytest.mark.parametrize("words", [("install", "a", "-U"), ("install", "a", "b"), ("install", "A")])
def test_nor_is_anything_beside_it(words: tuple[str, ...]) -> None:
    script = session()
    script.execute("%pip install a", by_owner=True)
    ask(script, *words)
    assert refusal(script)


def test_a_task_of_an_earlier_execution_asks_for_nothing() -> None:
    script = session()
    script.execute("%pip install a", "guest", author="Guest")
    script.finish()
    script.execute("%pip install a", "own", by_owner=True)
    ask(script, "install", "a", number=1)
    assert "not by a task" in refusal(script)


def test_nobody_asks_for_anything_while_nothing_runs() -> None:
    script = session()
    script.execute("%pip install a", by_owner=True)
    script.finish()
    ask(script, "install", "a", number=1)
    assert "not by a task" in refusal(script)


def test_a_guest_gains_nothing_by_a_number_that_the_owner_used_before() -> None:
    script = session()
    script.execute("%pip install a", "own", by_owner=True)
    script.finish()
    script.execute("%pip install a", "guest", author="Guest")
    assert script.session.running is not None
    ask(script, "install", "a", number=script.session.running.number)
    assert "came in by a share link" in refusal(script)
    assert script.session.by_owner == frozenset()


def test_one_request_at_a_time() -> None:
    script = session()
    script.execute("%pip install a\n%pip install b", by_owner=True)
    ask(script, "install", "a")
    ask(script, "install", "b", request=2)
    assert len(script.asked(i.InstallPackages)) == 1
    (answer,) = script.asked(i.AnswerPackages)
    assert "installing something already" in answer.lines[0]
    script.apply(i.PackagesReady(1, 1, ()))
    ask(script, "install", "b", request=3)
    assert len(script.asked(i.InstallPackages)) == 2


def test_too_many_requests_are_refused_and_then_end_the_process() -> None:
    script = session()
    script.execute("%pip install a", by_owner=True)
    for request in range(REQUESTS_MOST):
        ask(script, "install", "a", request=request)
        script.apply(i.PackagesReady(1, request, ()))
    assert len(script.asked(i.InstallPackages)) == REQUESTS
    assert not script.asked(i.KillProcess)
    ask(script, "install", "a")
    assert script.asked(i.KillProcess)[0].cause == "protocol"
    later = session()
    later.execute("%pip install a", by_owner=True)
    for request in range(2 * REQUESTS):
        later.clock += 5
        ask(later, "install", "a", request=request)
        later.apply(i.PackagesReady(1, request, ()))
    assert len(later.asked(i.InstallPackages)) == 2 * REQUESTS


@pytest.mark.parametrize("end", ["cancelled", "finished", "died", "restarted"])
def test_nobody_waits_any_more_so_nothing_goes_on(end: str) -> None:
    script = session()
    script.execute("%pip install a", by_owner=True)
    ask(script, "install", "a")
    match end:
        case "cancelled":
            script.said(h.PackageCancelled(1, 1))
        case "finished":
            script.finish("interrupted")
        case "died":
            script.died()
        case _:
            script.apply(i.Restart())
    assert len(script.asked(i.CancelPackages)) == 1
    script.apply(i.PackagesReady(1, 1, (package("a"),)))
    assert script.events("packages.changed") == []


def test_another_request_than_the_one_that_is_worked_on_cancels_nothing() -> None:
    script = session()
    script.execute("%pip install a", by_owner=True)
    ask(script, "install", "a")
    script.said(h.PackageCancelled(1, 2))
    assert not script.asked(i.CancelPackages)


def test_a_failure_is_told_and_changes_nothing() -> None:
    script = session()
    script.execute("%pip install a", by_owner=True)
    ask(script, "install", "a")
    script.apply(i.PackagesReady(1, 1, failure="There is no package 'a'."))
    (answer,) = script.asked(i.AnswerPackages)
    assert (answer.ok, answer.lines) == (False, ("ERROR: There is no package 'a'.",))
    assert not script.session.fold.packages


def test_quiet_is_quiet() -> None:
    script = session()
    script.execute("%pip install -q a", by_owner=True)
    ask(script, "install", "-q", "a")
    script.apply(i.PackagesReady(1, 1, (package("a"),)))
    assert script.asked(i.AnswerPackages)[0].lines == ()


def test_an_upgrade_takes_the_place_of_the_old_version() -> None:
    script = installed(session(), package("a"), package("b"))
    script.execute("%pip install -U a", by_owner=True)
    ask(script, "install", "-U", "a")
    script.apply(i.PackagesReady(1, 1, (package("a", "2.0"),)))
    assert [f"{one.name} {one.version}" for one in script.session.fold.packages] == [
        "a 2.0",
        "b 1.0",
    ]
    assert "Restart the session" in script.asked(i.AnswerPackages)[0].lines[1]


def test_uninstalling_forgets_and_has_the_process_remove_it() -> None:
    script = installed(session(), package("a"), package("b"))
    script.execute("%pip uninstall -y A never", author="Guest")
    ask(script, "uninstall", "-y", "A", "never")
    (answer,) = script.asked(i.AnswerPackages)
    assert (answer.ok, answer.removed) == (True, ("a",))
    assert answer.lines[:2] == (
        "WARNING: Skipping never as it is not installed.",
        "Successfully uninstalled a-1.0",
    )
    assert [one.name for one in script.session.fold.packages] == ["b"]


def test_packages_outlive_a_restart_and_the_death_of_the_process() -> None:
    script = installed(session(), package("a"))
    script.apply(i.Restart())
    assert [one.name for one in script.session.fold.packages] == ["a"]
    script.apply(i.PackagesGiven(script.session.generation, {}))
    assert script.events("packages.changed") == []


def test_what_could_not_be_given_again_is_told_once_with_why() -> None:
    script = installed(session(), package("a"), package("b"))
    script.apply(i.Restart())
    generation = script.session.generation
    script.apply(i.PackagesGiven(generation - 1, {"b": "of another process"}))
    script.apply(i.PackagesGiven(generation, {"a": "it is no longer in the cache"}))
    script.apply(i.PackagesGiven(generation, {"a": "it is no longer in the cache"}))
    (told,) = script.events("packages.changed")
    assert [(one["name"], one["state"], one["why"]) for one in told["packages"]] == [
        ("a", "missing", "it is no longer in the cache"),
        ("b", "installed", None),
    ]
    (words,) = script.events("stream")
    assert words["text"] == "%pip: a 1.0 is missing now: it is no longer in the cache\n"
    script.apply(i.PackagesGiven(generation, {}))
    assert script.session.fold.packages[0].state == "installed"


def test_a_module_of_python_itself_that_is_left_out_here_has_no_hint() -> None:
    script = session()
    script.execute("import tkinter", by_owner=True)
    script.said(h.Error(1, "ModuleNotFoundError", "No module named 'tkinter'", ["…"], 1))
    assert script.events("error")[0]["traceback"] == ["…"]


NOT_FOUND = "No module named 'yaml.nodes'"


@pytest.mark.parametrize(
    ("policy", "by_owner", "words"),
    [
        (FREE_FOR_OWNER, True, "%pip install pyyaml"),
        (FREE_FOR_OWNER, False, None),
        (PackagePolicy(owner="listed"), True, None),
        (PackagePolicy(owner="listed", allowed=frozenset({"pyyaml"})), True, "%pip install pyyaml"),
        (
            PackagePolicy(has_folder=True, modules={"yaml": "our-yaml"}),
            False,
            "%pip install our-yaml",
        ),
    ],
)
def test_a_module_that_is_missing_has_a_hint_where_it_may_be_installed(
    policy: PackagePolicy, by_owner: bool, words: str | None
) -> None:
    script = session(policy)
    script.execute("import yaml", by_owner=by_owner)
    script.said(h.Error(1, "ModuleNotFoundError", NOT_FOUND, ["Traceback", "…"], 1))
    script.said(h.Error(1, "ImportError", NOT_FOUND, ["…"], 1))
    first, second = script.events("error")
    assert second["traceback"] == ["…"]
    assert first["traceback"][2:] == (
        [f"If the package {words.split()[-1]} is what you need: {words}"] if words else []
    )
