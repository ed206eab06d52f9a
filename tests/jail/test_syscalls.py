"""Tests of syscalls.py: our numbers are the kernel's."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from watchglass_jail.syscalls import MACHINES

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/syscalls.json").read_text("utf-8"))
# What arch/arm64/include/uapi/asm/unistd.h defines before it includes the generic list.
AARCH64_WANTS = ("NEW_STAT", "RENAMEAT", "SET_GET_RLIMIT", "SYS_CLONE3", "MEMFD_SECRET")
X86_64_HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
GENERIC_HEADER = Path("/usr/include/asm-generic/unistd.h")


def numbers_in(definitions: str) -> dict[str, int]:
    """Return the calls that a header defines; a name may stand for another name."""
    found = dict(re.findall(r"^#define (__NR\w+)\s+(\w+)", definitions, re.MULTILINE))
    numbers = {}
    for name, value in found.items():
        while value in found:
            value = found[value]
        if name.startswith("__NR_") and value.isdigit():
            numbers[name.removeprefix("__NR_")] = int(value)
    return numbers


def preprocessed(header: Path, wants: tuple[str, ...]) -> str:
    flags = [f"-D__ARCH_WANT_{name}" for name in wants]
    command = ["cc", "-E", "-dM", *flags, "-include", str(header), "-x", "c", "/dev/null"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_each_number_is_the_kernels(machine: str) -> None:
    ours, kernels = MACHINES[machine].numbers, VECTORS[machine]
    assert ours
    assert ours.items() <= kernels.items()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_first_unknown_number_follows_the_last_of_the_list(machine: str) -> None:
    assert MACHINES[machine].first_unknown == max(VECTORS[machine].values()) + 1


def test_the_lists_are_those_of_the_headers_that_are_installed() -> None:
    """Where there are any: the list is held against them, and they against the list."""
    if X86_64_HEADER.exists():
        assert VECTORS["x86_64"].items() <= numbers_in(X86_64_HEADER.read_text()).items()
    if GENERIC_HEADER.exists() and shutil.which("cc"):
        installed = numbers_in(preprocessed(GENERIC_HEADER, AARCH64_WANTS))
        assert VECTORS["aarch64"].items() <= installed.items()
