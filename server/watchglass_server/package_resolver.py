"""Requirements, and what is known of packages → which wheels together. Pure.

The search is resolvelib's, as in pip. It knows nothing of places: where it needs a page or the
metadata of a wheel that nobody has read yet, it ends with `Missing`, and is begun anew with that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import Any

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from resolvelib import (
    AbstractProvider,
    BaseReporter,
    ResolutionImpossible,
    ResolutionTooDeep,
    Resolver,
)
from resolvelib.structs import RequirementInformation

from watchglass_server.package_pages import Candidate, Project, canonical
from watchglass_server.session_python import ENVIRONMENT, RUNS_HERE, is_for_this_python
from watchglass_server.wheels import Metadata

MAX_ROUNDS = 1000
MAX_PACKAGES = 200

Key = tuple[str, frozenset[str]]  # a project, with the extras that are asked of it


@dataclass(slots=True)
class Known:
    """What was read so far."""

    projects: dict[str, Project] = field(default_factory=dict)
    metadata: dict[str, Metadata] = field(default_factory=dict)  # by the hash of the wheel
    refused: dict[str, str] = field(default_factory=dict)  # wheels, by hash, and why


@dataclass(frozen=True, slots=True)
class Choice:
    """How one wants to choose."""

    upgrade: frozenset[str] = frozenset()  # projects whose newest version is wanted
    pre: bool = False
    dependencies: bool = True


class Missing(Exception):
    """Something has to be read before the search can go on."""

    def __init__(self, projects: Iterable[str] = (), wheels: Iterable[Candidate] = ()) -> None:
        super().__init__("something is to be read first")
        self.projects = frozenset(projects)
        self.wheels = tuple(wheels)


class Unsolvable(Exception):
    """There is no such set of wheels; the message says why and what one can do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One requirement, of a person or of a package."""

    project: str
    extras: frozenset[str]
    specifier: SpecifierSet

    def __str__(self) -> str:
        extras = f"[{','.join(sorted(self.extras))}]" if self.extras else ""
        return f"{self.project}{extras}{self.specifier}"


@dataclass(frozen=True, slots=True)
class Chosen:
    """One wheel, with the extras that are asked of it."""

    candidate: Candidate
    extras: frozenset[str]

    def __str__(self) -> str:
        return f"{self.candidate.project} {self.candidate.version}"


def resolve(requirements: Sequence[Requirement], known: Known, choice: Choice) -> list[Candidate]:
    """The wheels that fulfil all, dependencies first. Raises Missing, Unsolvable."""
    wanted = [_wanted(one) for one in requirements]
    _need_pages(wanted, known)
    resolver = Resolver(_Provider(known, choice), BaseReporter[Wanted, Chosen, Key]())
    try:
        result = resolver.resolve(wanted, max_rounds=MAX_ROUNDS)
    except ResolutionImpossible as error:
        raise Unsolvable(_words(list(error.causes), known)) from None
    except ResolutionTooDeep:
        raise Unsolvable(
            f"No fitting set of packages was found in {MAX_ROUNDS:,} steps. Say which versions you "
            "want, as in `%pip install 'NAME==1.2'`."
        ) from None
    chosen = {one.candidate.project: one.candidate for one in result.mapping.values()}
    if len(chosen) > MAX_PACKAGES:
        raise Unsolvable(f"It needs {len(chosen)} packages; at most {MAX_PACKAGES} are installed.")
    return list(reversed(chosen.values()))


class _Provider(AbstractProvider[Wanted, Chosen, Key]):
    def __init__(self, known: Known, choice: Choice) -> None:
        self._known = known
        self._choice = choice

    def identify(self, requirement_or_candidate: Wanted | Chosen) -> Key:
        one = requirement_or_candidate
        if isinstance(one, Chosen):
            return one.candidate.project, one.extras
        return one.project, one.extras

    def get_preference(
        self,
        identifier: Key,
        resolutions: Mapping[Key, Chosen],
        candidates: Mapping[Key, Iterator[Chosen]],
        information: Mapping[Key, Iterator[RequirementInformation[Wanted, Chosen]]],
        backtrack_causes: Sequence[RequirementInformation[Wanted, Chosen]],
    ) -> Any:
        causes = {one.requirement.project for one in backtrack_causes}
        pinned = any("==" in str(one.requirement.specifier) for one in information[identifier])
        return (identifier[0] not in causes, not pinned, identifier[0])

    def find_matches(
        self,
        identifier: Key,
        requirements: Mapping[Key, Iterator[Wanted]],
        incompatibilities: Mapping[Key, Iterator[Chosen]],
    ) -> Iterable[Chosen]:
        project, extras = identifier
        wanted = list(requirements[identifier])
        no = {one.candidate.version for one in incompatibilities[identifier]}
        fitting = [one for one in self._fitting(project, wanted) if one.version not in no]
        return [Chosen(one, extras) for one in fitting]

    def _fitting(self, project: str, wanted: Sequence[Wanted]) -> list[Candidate]:
        """The best first: what is installed already, unless it is to be upgraded."""
        specifier = reduce(and_, (one.specifier for one in wanted), SpecifierSet())
        usable = [
            one
            for one in self._known.projects[project].candidates
            if one.sha256 not in self._known.refused
            and (not one.yanked or one.origin == "installed" or _is_pinned(specifier))
        ]
        versions = set(
            specifier.filter(
                {one.version for one in usable}, prereleases=True if self._choice.pre else None
            )
        )
        fitting = [one for one in usable if one.version in versions]
        if project not in self._choice.upgrade:
            fitting.sort(key=lambda one: one.origin != "installed")
        first: dict[Version, Candidate] = {}
        for one in fitting:
            first.setdefault(one.version, one)
        return list(first.values())

    def is_satisfied_by(self, requirement: Wanted, candidate: Chosen) -> bool:
        return requirement.specifier.contains(candidate.candidate.version, prereleases=True)

    def get_dependencies(self, candidate: Chosen) -> Iterable[Wanted]:
        chosen, extras = candidate.candidate, candidate.extras
        if not self._choice.dependencies:
            return []
        metadata = self._known.metadata.get(chosen.sha256)
        if metadata is None:
            raise Missing(wheels=[chosen])
        if not is_for_this_python(metadata.requires_python):
            return [Wanted(chosen.project, frozenset(), _NEVER)]
        found = [
            _wanted(one) for one in metadata.requires if one.url is None and _applies(one, extras)
        ]
        _need_pages(found, self._known)
        if extras:  # the same version of itself, without them
            same = SpecifierSet(f"=={chosen.version}")
            found.append(Wanted(chosen.project, frozenset(), same))
        return found


_NEVER = SpecifierSet("<0.dev0")


def _wanted(requirement: Requirement) -> Wanted:
    extras = frozenset(canonical(one) for one in requirement.extras)
    return Wanted(canonical(requirement.name), extras, requirement.specifier)


def _need_pages(wanted: Sequence[Wanted], known: Known) -> None:
    """All at once, so that they are read at once."""
    missing = {one.project for one in wanted} - known.projects.keys()
    if missing:
        raise Missing(projects=missing)


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(_holds(requirement.marker, extra) for extra in extras or {""})


def _holds(marker: Marker, extra: str) -> bool:
    try:
        return marker.evaluate({**ENVIRONMENT, "extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName, ValueError):
        return False


def _is_pinned(specifier: SpecifierSet) -> bool:
    return any(one.operator in ("==", "===") and "*" not in one.version for one in specifier)


# --- in words


def _words(causes: Sequence[RequirementInformation[Wanted, Chosen]], known: Known) -> str:
    for cause in causes:
        project = known.projects[cause.requirement.project]
        if not project.candidates:
            return _nothing_runs(project, cause, known)
    for cause in causes:
        project = known.projects[cause.requirement.project]
        usable = [one for one in project.candidates if one.sha256 not in known.refused]
        fitting = [one for one in usable if cause.requirement.specifier.contains(one.version, True)]
        if not fitting:
            return _no_version(project, cause, known)
    return _conflict(causes)


def _asked(cause: RequirementInformation[Wanted, Chosen]) -> str:
    by = f" (for {cause.parent})" if cause.parent is not None else ""
    return f"{cause.requirement}{by}"


def _nothing_runs(
    project: Project, cause: RequirementInformation[Wanted, Chosen], known: Known
) -> str:
    by = f", which {cause.parent} needs," if cause.parent is not None else ""
    if not project.other_versions and not project.other_python and not project.unhashed:
        why = f" {project.why}" if project.why else " Look at the spelling."
        return f"There is no package '{project.name}'{by.rstrip(',')}.{why}"
    reasons = list(_reasons(project))
    return (
        f"{project.name}{by} has no wheel that runs in a session: {'; '.join(reasons)}. "
        f"Only wheels that are {RUNS_HERE} run here. Ask its project for such a wheel, take a "
        "package in pure Python instead, or have a wheel put into the folder of `watchglass serve "
        "--wheel-dir DIR`; once there is one, this very line works."
    )


def _reasons(project: Project) -> Iterator[str]:
    if project.other_versions:
        looked = ", ".join(str(one) for one in project.other_versions[:3])
        more = len(project.other_versions) - 3
        looked += f" and {more} older ones" if more > 0 else ""
        if project.other_platforms:
            kinds = ", ".join(project.other_platforms[:12])
            yield f"looked at {looked}, whose wheels are for {kinds}"
        elif project.has_source:
            yield f"looked at {looked}, of which there is only the source; nothing is built here"
        else:
            yield f"looked at {looked}"
    if project.other_python:
        python = ENVIRONMENT["python_version"]
        yield f"{project.other_python} wheels ask for another Python than {python}"
    if project.unhashed:
        yield f"{project.unhashed} wheels have no sha256 at the index"


def _no_version(
    project: Project, cause: RequirementInformation[Wanted, Chosen], known: Known
) -> str:
    refused = [
        known.refused[one.sha256] for one in project.candidates if one.sha256 in known.refused
    ]
    if refused:
        return f"No wheel of {_asked(cause)} can be taken: {refused[0]}."
    newest = ", ".join(str(one.version) for one in project.candidates[:5])
    return (
        f"There is no version of {project.name} for {_asked(cause)} that runs in a session; "
        f"the newest that do are {newest}. Ask for one of these."
    )


def _conflict(causes: Sequence[RequirementInformation[Wanted, Chosen]]) -> str:
    asked = sorted({_asked(cause) for cause in causes})
    return (
        f"These do not go together: {'; '.join(asked)}. Ask for fewer packages at once, or for "
        "other versions."
    )
