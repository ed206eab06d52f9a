"""A root of its own: an empty file system in which only the paths of the policy are mounted."""

import ctypes
import os
import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from watchglass_jail.libc import LIBC, check, syscall
from watchglass_jail.policy import JailPolicy

__all__ = ["Mount", "enter_private_root", "mounts_of"]

# linux/mount.h.
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18
MNT_DETACH: Final = 2
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC = 1, 2, 4, 8
AT_FDCWD: Final = -100
AT_RECURSIVE: Final = 0x8000
# While it is built; two names of folders that every system has, and nothing is left in either.
PLACES: Final = ("/tmp", "/dev")
OUTSIDE: Final = "/.outside"
SIZE: Final = "size=1m,nr_inodes=4k,mode=755"


class Mount(NamedTuple):
    """One path of the policy, and what may be done in it."""

    path: str
    attributes: int


def mounts_of(policy: JailPolicy) -> list[Mount]:
    """Return what is mounted, what holds others first."""
    plain = ATTR_NOSUID | ATTR_NOEXEC
    attributes = dict.fromkeys(policy.read, plain | ATTR_RDONLY)
    attributes |= dict.fromkeys(policy.write, plain)
    attributes |= dict.fromkeys(policy.execute, ATTR_NOSUID | ATTR_RDONLY)
    return [Mount(*item) for item in sorted(attributes.items())]


def enter_private_root(policy: JailPolicy) -> None:
    """Leave this process nothing of the file system but the paths of the policy.

    Needs a mount namespace of its own. What does not exist is left out.
    """
    try:
        narrow = os.umask(0o022)
        sources = [(mount, os.path.realpath(mount.path)) for mount in mounts_of(policy)]
        _begin()
        for mount, source in sources:
            _bind(OUTSIDE + source, mount)
        _end()
        os.umask(narrow)
    except OSError as error:
        raise check(
            "private root",
            f"{error.filename or 'a mount'} failed",
            error,
            "It needs Linux 5.12 and the right to mount; or choose a policy without it.",
        ) from error


def _begin() -> None:
    """Make an empty root, with the old one in a folder of it."""
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    place = next(_existing(PLACES))
    _mount("tmpfs", place, "tmpfs", 0, SIZE)
    os.mkdir(place + OUTSIDE)
    syscall("pivot_root", os.fsencode(place), os.fsencode(place + OUTSIDE))
    os.chdir("/")


def _bind(source: str, mount: Mount) -> None:
    if not os.path.lexists(source):
        return
    if os.path.isdir(source):
        os.makedirs(mount.path, exist_ok=True)
    elif not os.path.lexists(mount.path):
        os.makedirs(os.path.dirname(mount.path), exist_ok=True)
        os.close(os.open(mount.path, os.O_CREAT | os.O_WRONLY, 0o444))
    _mount(source, mount.path, None, MS_BIND | MS_REC)
    is_device = not os.path.isdir(source) and not os.path.isfile(source)
    _set_attributes(mount.path, mount.attributes | (0 if is_device else ATTR_NODEV), AT_RECURSIVE)


def _end() -> None:
    """Let go of the old root, and close the new one to changes."""
    if LIBC.umount2(os.fsencode(OUTSIDE), MNT_DETACH) != 0:
        _fail(OUTSIDE)
    os.rmdir(OUTSIDE)
    _set_attributes("/", ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC, 0)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    words = [os.fsencode(word) if word else None for word in (source, target, kind, data)]
    if LIBC.mount(*words[:3], ctypes.c_ulong(flags), words[3]) != 0:
        _fail(target)


def _set_attributes(path: str, attributes: int, flags: int) -> None:
    # Only adds: what the mount forbade outside stays forbidden, as it must in a user namespace.
    attribute = ctypes.create_string_buffer(struct.pack("=QQQQ", attributes, 0, 0, 0), 32)
    syscall("mount_setattr", AT_FDCWD, os.fsencode(path), flags, attribute, 32)


def _existing(paths: Iterable[str]) -> Iterator[str]:
    return (path for path in paths if os.path.isdir(path))


def _fail(path: str) -> None:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code), path)
