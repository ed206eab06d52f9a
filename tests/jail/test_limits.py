"""Tests of limits.py: attempts that succeed without a limit, and fail with it."""

import resource
import signal
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.jailed import OPEN, as_nobody, attempt, features_here
from watchglass_jail import JailError
from watchglass_jail.limits import set_limits

MIB = 2**20
ATTEMPTS = {
    "DATA": ("bytearray(300_000_000)", 200 * MIB, "MemoryError"),
    "AS": ("import mmap; mmap.mmap(-1, 2**31)", 2**30, "ENOMEM"),
    "NOFILE": ("[os.pipe() for _ in range(20)]", 32, "EMFILE"),
    "FSIZE": ('os.write(os.open("{0}/new", os.O_CREAT | os.O_WRONLY), b"x")', 0, "EFBIG"),
    "MSGQUEUE": (
        "check(LIBC.mq_open(b'/{1}', 66, 384, None)); LIBC.mq_unlink(b'/{1}')",
        0,
        "EMFILE",
    ),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_what_is_beyond_a_limit_fails(name: str, tmp_path: Path) -> None:
    code, limit, error = ATTEMPTS[name]
    code = code.format(tmp_path, uuid.uuid4())
    limited = replace(OPEN, limits={name: (limit, limit)})
    assert attempt(limited, code).said == error
    assert attempt(OPEN, code).said == "done"


def test_time_of_the_processor_ends() -> None:
    busy = "end = time.process_time() + 1.5\nwhile time.process_time() < end: pass"
    assert attempt(replace(OPEN, limits={"CPU": (1, 2)}), busy).status == 128 + signal.SIGXCPU
    assert attempt(OPEN, busy).said == "done"


MANY_THREADS = """
held = threading.Event()
threads = [threading.Thread(target=held.wait) for _ in range(20)]
try:
    for thread in threads: thread.start()
finally:
    held.set()
"""


def test_threads_are_counted_where_the_user_is_its_own() -> None:
    alone = as_nobody(OPEN)
    assert features_here().counts_own_processes
    assert attempt(replace(alone, limits={"NPROC": (8, 8)}), MANY_THREADS).said == "RuntimeError"
    assert attempt(alone, MANY_THREADS).said == "done"


def test_a_limit_that_is_lower_already_stays() -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    lowered = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (20, 30)); {code}"
    assert attempt(OPEN, lowered).said.startswith("(20, 30)")
    resource_limits = replace(OPEN, limits={"NOFILE": (2**30, -1)})
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert attempt(resource_limits, code).said.startswith(f"({min(2**30, highest)}, {highest})")


def test_a_limit_that_cannot_be_is_named() -> None:
    with pytest.raises(JailError, match="RLIMIT_CORE") as failed:
        set_limits({"CORE": (2, 1)})
    assert failed.value.layer == "limits"
