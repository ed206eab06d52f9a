"""Attempts in a jail: small Python programs, run with some layers and without."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from watchglass_jail import JailPolicy, KernelFeatures

LAUNCHER = Path(__file__).with_name("jail_launcher.py")
PYTHON = os.path.realpath(sys.executable)
# Python itself, and what its modules are linked with.
PYTHON_NEEDS = (PYTHON, f"{sys.base_prefix}/lib", "/lib", "/lib64", "/usr/lib")
OPEN = JailPolicy(landlock=False, seccomp=False)
FILES = replace(OPEN, landlock=True, execute=PYTHON_NEEDS, read=("/dev/null", "/dev/urandom"))
CALLS = replace(OPEN, seccomp=True)

AROUND = """
import ctypes, errno, os, signal, socket, sys, threading, time
LIBC = ctypes.CDLL(None, use_errno=True)

def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result

def call(number, *arguments):
    LIBC.syscall.restype = ctypes.c_long
    return check(LIBC.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)))

try:
    exec(sys.argv[1])
    print("done")
except OSError as error:
    print(errno.errorcode[error.errno])
except (MemoryError, RuntimeError) as error:
    print(type(error).__name__)
"""


@dataclass(frozen=True)
class Outcome:
    """What an attempt printed, and its exit status as a shell gives it."""

    said: str
    status: int
    stderr: str


def attempt(
    policy: JailPolicy, code: str, *, pass_fds: Sequence[int] = (), timeout: float = 30
) -> Outcome:
    """Run code under a policy: it says `done`, or the name of the error that stopped it."""
    program = [PYTHON, "-I", "-S", "-c", AROUND, code]
    command = [sys.executable, str(LAUNCHER), policy.to_json(), *program]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={},
        pass_fds=pass_fds,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
    )
    return Outcome(done.stdout.strip(), done.returncode, done.stderr)


@functools.cache
def features_here() -> KernelFeatures:
    """What this machine offers, found out in a process with one thread."""
    asked = "from watchglass_jail import read_features; print(read_features().to_json())"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return KernelFeatures.from_json(told.stdout)


def as_nobody(policy: JailPolicy) -> JailPolicy:
    """The policy in a private root, as a user that nobody else is, where that can be had."""
    features = features_here()
    rooted = replace(
        policy,
        execute=PYTHON_NEEDS,
        read=(*policy.read, "/dev/null", "/dev/urandom"),
        private_root=True,
        namespaces=("mount",),
    )
    if features.uids[1]:
        return replace(rooted, uid=features.uids[0], gid=features.uids[0])
    return with_namespaces(rooted)


def with_namespaces(policy: JailPolicy, *names: str) -> JailPolicy:
    """The policy in these namespaces, by whatever right there is here to make them."""
    features = features_here()
    assert set(names) <= set(features.namespaces), "no right to make namespaces here"
    names = (*policy.namespaces, *names)
    if "user" in features.namespaces:
        names = ("user", *names)
        return replace(policy, namespaces=names, uid=features.uid, gid=features.gid)
    return replace(policy, namespaces=names)
