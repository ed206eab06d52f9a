"""Which wheels together: what is chosen, what is read for it, and why there may be none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from packaging.requirements import Requirement

from tests.support.wheels import MadeWheel, make_wheel
from watchglass_server.package_pages import Candidate, IndexFile, IndexPage, Project, read_page
from watchglass_server.package_resolver import Choice, Known, Missing, Unsolvable, resolve
from watchglass_server.session_python import PLATFORM
from watchglass_server.wheels import read_metadata


def page_of(name: str, *wheels: MadeWheel, **fields: object) -> Project:
    files = [
        IndexFile(filename=one.filename, url="", hashes={"sha256": one.sha256}, **fields)  # type: ignore[arg-type]
        for one in wheels
    ]
    return read_page(name, IndexPage(name, files))


class Shelf:
    """Wheels by project, read only when the search asks for them."""

    def __init__(self, *wheels: MadeWheel) -> None:
        self.wheels: dict[str, list[MadeWheel]] = {}
        for one in wheels:
            name = one.filename.partition("-")[0].replace("_", "-")
            self.wheels.setdefault(name, []).append(one)
        self.pages_read: list[str] = []
        self.wheels_read: list[str] = []
        self.known = Known()

    def resolve(self, *requirements: str, choice: Choice | None = None) -> list[str]:
        while True:
            try:
                wanted = [Requirement(one) for one in requirements]
                return [
                    f"{one.project} {one.version}"
                    for one in resolve(wanted, self.known, choice or Choice())
                ]
            except Missing as missing:
                self._read(missing.projects, missing.wheels)

    def _read(self, projects: frozenset[str], wheels: Sequence[Candidate]) -> None:
        assert projects or wheels
        for name in projects:
            self.pages_read.append(name)
            known = self.known.projects.get(name)
            assert known is None
            self.known.projects[name] = page_of(name, *self.wheels.get(name, []))
        for wheel in wheels:
            self.wheels_read.append(wheel.filename)
            made = [one for found in self.wheels.values() for one in found]
            (data,) = [one.metadata for one in made if one.sha256 == wheel.sha256]
            self.known.metadata[wheel.sha256] = read_metadata(data)


def test_the_newest_version_and_what_it_needs_come_with_the_dependencies_first() -> None:
    shelf = Shelf(
        make_wheel("a", "1.0"),
        make_wheel("a", "2.0", requires=["b>=1", "c"]),
        make_wheel("b", "1.5", requires=["c<2"]),
        make_wheel("c", "1.0"),
        make_wheel("c", "2.0"),
    )
    assert set(shelf.resolve("a")) == {"a 2.0", "b 1.5", "c 1.0"}
    assert shelf.resolve("a")[-1] == "a 2.0"


def test_only_what_is_needed_is_read_and_all_pages_of_one_step_at_once() -> None:
    shelf = Shelf(
        make_wheel("a", "1.0"), make_wheel("a", "2.0", requires=["b", "c"]), make_wheel("b"),
        make_wheel("c"), make_wheel("d"),
    )  # fmt: skip
    shelf.resolve("a")
    assert sorted(shelf.pages_read) == ["a", "b", "c"]
    assert sorted(shelf.wheels_read) == [
        f"{name}-py3-none-any.whl" for name in ("a-2.0", "b-1.0", "c-1.0")
    ]


def test_markers_are_those_of_the_session_not_of_the_server() -> None:
    shelf = Shelf(
        make_wheel(
            "a",
            requires=[
                "yes1; sys_platform == 'emscripten'",
                "yes2; python_version >= '3.14' and platform_machine == 'wasm32'",
                "no1; sys_platform == 'linux'",
                "no2; python_version < '3.14'",
                "no3; platform_system == 'Darwin' or extra == 'x'",
                "no4 @ https://127.0.0.1/no4",
            ],
        ),
        make_wheel("yes1"),
        make_wheel("yes2"),
    )
    assert set(shelf.resolve("a")) == {"a 1.0", "yes1 1.0", "yes2 1.0"}


def test_extras_bring_what_they_need() -> None:
    shelf = Shelf(
        make_wheel("a", extras=["ui"], requires=["b; extra == 'ui'", "c"]),
        make_wheel("b"),
        make_wheel("c"),
    )
    assert set(shelf.resolve("a")) == {"a 1.0", "c 1.0"}
    assert set(shelf.resolve("a[UI]")) == {"a 1.0", "b 1.0", "c 1.0"}


def test_it_goes_back_to_an_older_version_where_the_newest_does_not_fit() -> None:
    shelf = Shelf(
        make_wheel("a", "2.0", requires=["c>=2"]),
        make_wheel("a", "1.0", requires=["c<2"]),
        make_wheel("b", requires=["c<2"]),
        make_wheel("c", "1.0"),
        make_wheel("c", "2.0"),
    )
    assert set(shelf.resolve("a", "b")) == {"a 1.0", "b 1.0", "c 1.0"}


def test_a_preview_version_is_taken_only_when_it_is_asked_for() -> None:
    shelf = Shelf(make_wheel("a", "1.0"), make_wheel("a", "2.0rc1"))
    assert shelf.resolve("a") == ["a 1.0"]
    assert shelf.resolve("a", choice=Choice(pre=True)) == ["a 2.0rc1"]
    assert shelf.resolve("a>=2.0rc1") == ["a 2.0rc1"]


def test_no_dependencies_means_none() -> None:
    shelf = Shelf(make_wheel("a", requires=["b"]))
    assert shelf.resolve("a", choice=Choice(dependencies=False)) == ["a 1.0"]


def test_of_one_version_the_wheel_for_this_platform_comes_first() -> None:
    pure, native = make_wheel("a"), make_wheel("a", tag=f"cp314-cp314-{PLATFORM}")
    found = page_of("a", pure, native).candidates
    assert [one.filename for one in found] == [native.filename, pure.filename]


@pytest.mark.parametrize(
    "tag",
    [
        *("py3-none-any", "py2.py3-none-any", "cp314-none-any", "py314-none-any"),
        *(f"cp314-cp314-{PLATFORM}", f"cp311-abi3-{PLATFORM}", f"py3-none-{PLATFORM}"),
    ],
)
def test_tags_that_run_in_a_session(tag: str) -> None:
    assert page_of("a", make_wheel("a", tag=tag)).candidates


@pytest.mark.parametrize(
    "tag",
    [
        *("cp314-cp314-manylinux_2_28_x86_64", "cp313-none-any", "py2-none-any", "pp311-none-any"),
        *("cp314-cp314-pyemscripten_2025_0_wasm32", f"cp313-cp313-{PLATFORM}"),
    ],
)
def test_tags_that_do_not(tag: str) -> None:
    project = page_of("a", make_wheel("a", tag=tag))
    assert not project.candidates
    assert [str(one) for one in project.other_versions] == ["1.0"]


def test_what_is_yanked_is_taken_only_by_its_very_version() -> None:
    shelf = Shelf(make_wheel("a", "1.0"))
    two = page_of("a", make_wheel("a", "2.0"), yanked="broken")
    old = page_of("a", *shelf.wheels["a"])
    both = Project("a", candidates=(*two.candidates, *old.candidates))
    for one in both.candidates:
        shelf.known.metadata[one.sha256] = read_metadata(make_wheel("a").metadata)
    shelf.known.projects["a"] = both
    assert shelf.resolve("a") == ["a 1.0"]
    assert shelf.resolve("a==2.0") == ["a 2.0"]
    with pytest.raises(Unsolvable):
        shelf.resolve("a>=2.0")


def test_files_for_another_python_without_a_hash_or_of_another_project_are_no_candidates() -> None:
    old = page_of("a", make_wheel("a"), requires_python="<3.10")
    assert (old.candidates, old.other_python) == ((), 1)
    files = [
        IndexFile(filename="a-1.0-py3-none-any.whl", url="", hashes={"md5": "0" * 32}),
        IndexFile(filename="b-1.0-py3-none-any.whl", url="", hashes={"sha256": "0" * 64}),
        IndexFile(filename="a-1.0.exe", url=""),
        IndexFile(filename="a-what-py3-none-any.whl", url=""),
    ]
    found = read_page("a", IndexPage("a", files))
    assert (found.candidates, found.unhashed) == ((), 1)


def why(shelf: Shelf, *requirements: str) -> str:
    with pytest.raises(Unsolvable) as caught:
        shelf.resolve(*requirements)
    return str(caught.value)


def test_a_package_without_a_wheel_for_sessions_is_told_with_what_there_is() -> None:
    tags = ("cp314-cp314-manylinux_2_28_x86_64", "cp314-cp314-win_amd64")
    wheels = [make_wheel("numpy", version, tag=tag) for version in ("2.4", "2.5") for tag in tags]
    words = why(Shelf(*wheels), "numpy")
    assert "numpy has no wheel that runs in a session: looked at 2.5, 2.4" in words
    assert "whose wheels are for manylinux, win." in words
    assert f"tagged {PLATFORM}" in words
    assert "--wheel-dir" in words
    wheels.append(make_wheel("numpy", "2.6", tag=f"cp314-cp314-{PLATFORM}"))
    assert Shelf(*wheels).resolve("numpy") == ["numpy 2.6"]


def test_a_dependency_without_one_is_told_with_who_needs_it() -> None:
    native = make_wheel("numpy", tag="cp314-cp314-win_amd64")
    words = why(Shelf(make_wheel("frames", "3.1", requires=["numpy"]), native), "frames")
    assert "numpy, which frames 3.1 needs, has no wheel" in words


def test_a_package_of_which_there_is_only_the_source_is_told_so() -> None:
    shelf = Shelf()
    source = IndexFile(filename="old-1.0.tar.gz", url="", hashes={})
    shelf.known.projects["old"] = read_page("old", IndexPage("old", [source]))
    assert "looked at 1.0, of which there is only the source" in why(shelf, "old")


def test_a_package_that_is_not_there_is_told_so() -> None:
    assert why(Shelf(), "nope") == "There is no package 'nope'. Look at the spelling."


def test_a_version_that_is_not_there_is_told_with_those_that_are() -> None:
    words = why(Shelf(make_wheel("a", "1.0"), make_wheel("a", "1.5")), "a>=2")
    assert "no version of a for a>=2" in words
    assert "1.5, 1.0" in words


def test_requirements_that_do_not_go_together_are_named() -> None:
    shelf = Shelf(
        make_wheel("a", requires=["c<2"]), make_wheel("b", requires=["c>=2"]),
        make_wheel("c", "1.0"), make_wheel("c", "2.0"),
    )  # fmt: skip
    words = why(shelf, "a", "b")
    assert "do not go together: c<2 (for a 1.0); c>=2 (for b 1.0)" in words


def test_what_asks_for_another_python_inside_is_not_chosen() -> None:
    shelf = Shelf(make_wheel("a", "2.0", requires_python=">=3.15"), make_wheel("a", "1.0"))
    assert shelf.resolve("a") == ["a 1.0"]


def test_packages_that_need_each_other_are_no_trouble() -> None:
    shelf = Shelf(make_wheel("a", requires=["b"]), make_wheel("b", requires=["a"]))
    assert set(shelf.resolve("a")) == {"a 1.0", "b 1.0"}


def test_a_hostile_maze_of_versions_comes_to_an_end() -> None:
    wheels = [
        make_wheel(f"m{place}", f"{version}.0", requires=[f"m{place + 1}=={version % 7}.5"])
        for place in range(6)
        for version in range(12)
    ]
    with pytest.raises(Unsolvable):
        Shelf(*wheels, make_wheel("m6", "9")).resolve("m0", "m1", "m2")
