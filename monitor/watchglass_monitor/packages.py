"""%pip: asks the server for packages, unpacks the wheels that it hands in, lists what is there."""

import importlib
import io
import itertools
import os
import shlex
import shutil
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

from watchglass_monitor.host import Gate, Host, Message
from watchglass_monitor.interrupts import Interrupts
from watchglass_monitor.suspension import Suspender

BLOCKED_WAIT_MS = 1000
MAX_WORDS = 200
MAX_WORD_CHARACTERS = 1000
INSTALLER = "watchglass"

Publish = Callable[[Message], None]


@dataclass(eq=False)
class Request:
    """One line that the server works on."""

    gate: Gate | None = None
    lines: list[tuple[str, str]] = field(default_factory=list)  # each with its stream
    done: bool = False

    def wake(self) -> None:
        if self.gate is not None:
            self.gate.open()


class Packages:
    """What is installed in this process, and how more comes in."""

    def __init__(
        self,
        host: Host,
        suspender: Suspender,
        interrupts: Interrupts,
        publish: Publish,
        folder: str | None = None,
    ) -> None:
        self._host = host
        self._suspender = suspender
        self._interrupts = interrupts
        self._publish = publish
        self._requests: dict[int, Request] = {}
        self._numbers = itertools.count(1)
        self._folder = folder

    def pip(self, text: str) -> None:
        """Do what stands behind %pip."""
        words = _words(text)
        verb = words[0] if words else ""
        if verb in ("list", "freeze"):
            self._list(verb)
        elif verb == "show":
            self._show(words[1:])
        else:
            self._ask(words)

    def _ask(self, words: Sequence[str]) -> None:
        number = next(self._numbers)
        request = self._requests[number] = Request()
        said = [word[:MAX_WORD_CHARACTERS] for word in words[:MAX_WORDS]]
        self._publish({"type": "package_request", "request": number, "words": said})
        try:
            self._wait(request)
        except BaseException:
            if not request.done:
                self._publish({"type": "package_cancelled", "request": number})
            raise
        finally:
            del self._requests[number]

    def _wait(self, request: Request) -> None:
        while True:
            done = request.done
            while request.lines:
                stream, line = request.lines.pop(0)
                print(line, file=getattr(sys, stream))
            if done:
                return
            if self._suspender.available():
                request.gate = self._host.gate(0)
                # What came while there was no gate could not open it.
                if not request.lines and not request.done:
                    self._suspender.suspend(request.gate)
            else:
                self._host.wait(BLOCKED_WAIT_MS)
                self._interrupts.safe_point()

    def told(self, number: int, lines: Sequence[str], *, done: bool, ok: bool) -> None:
        """The server says how far it is."""
        request = self._requests.get(number)
        if request is None:  # it was interrupted
            return
        stream = "stderr" if done and not ok else "stdout"
        request.lines += [(stream, line) for line in lines]
        request.done = done
        request.wake()

    # --- what is there

    def install(self, name: str, wheel: bytes) -> None:
        """Unpack a wheel, in the place of another version of it."""
        self.remove(name)
        folder = self._site_packages()
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            for member in archive.infolist():
                place = _place(member.filename)
                if place is None or member.is_dir():
                    continue
                target = folder / place
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                if place.endswith(".dist-info/WHEEL"):
                    target.with_name("INSTALLER").write_text(INSTALLER + "\n")
        importlib.invalidate_caches()

    def remove(self, name: str) -> None:
        """Delete the files of a package, if it is there."""
        # By the names of the folders: to read all metadata takes longer than to unpack a wheel.
        for information in self._site_packages().glob("*.dist-info"):
            if _canonical(information.name.partition("-")[0]) == _canonical(name):
                self._delete(information)
        importlib.invalidate_caches()

    def _delete(self, information: Path) -> None:
        folder = self._site_packages().resolve()
        for file in Distribution.at(information).files or ():
            path = Path(str(file.locate())).resolve()
            if path.is_relative_to(folder):
                path.unlink(missing_ok=True)
                _remove_empty(path.parent, folder)
        shutil.rmtree(information, ignore_errors=True)

    def _site_packages(self) -> Path:
        folder = Path(self._folder or sysconfig.get_paths()["purelib"])
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _installed(self) -> list[Distribution]:
        return list(distributions(path=[str(self._site_packages())]))

    def _list(self, verb: str) -> None:
        found = sorted({(each.name, each.version) for each in self._installed()})
        if verb == "freeze":
            for name, version in found:
                print(f"{name}=={version}")
            return
        width = max([len("Package"), *(len(name) for name, _ in found)])
        print(f"{'Package':<{width}} Version\n{'-' * width} {'-' * 7}")
        for name, version in found:
            print(f"{name:<{width}} {version}")

    def _show(self, names: Sequence[str]) -> None:
        wanted = {_canonical(name) for name in names}
        found = [each for each in self._installed() if _canonical(each.name) in wanted]
        if not found:
            print("WARNING: Package(s) not found: " + ", ".join(names), file=sys.stderr)
        for each in found:
            print(f"Name: {each.name}\nVersion: {each.version}")
            print(f"Summary: {each.metadata['Summary'] or ''}")
            print(f"Requires: {', '.join(each.requires or ())}")


def _words(text: str) -> list[str]:
    """As the server reads the same line."""
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return text.split()


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _place(name: str) -> str | None:
    """Where a file of a wheel belongs below site-packages; None: nowhere."""
    parts = PurePosixPath(name).parts
    if not parts or PurePosixPath(name).is_absolute() or ".." in parts:
        return None
    if not parts[0].endswith(".data"):
        return name
    return "/".join(parts[2:]) if parts[1:2] in (("purelib",), ("platlib",)) else None


def _remove_empty(folder: Path, stop: Path) -> None:
    cache = folder / "__pycache__"
    shutil.rmtree(cache, ignore_errors=True)
    with suppress(OSError):
        while folder != stop and not os.listdir(folder):
            folder.rmdir()
            folder = folder.parent
