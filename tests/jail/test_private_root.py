"""Tests of private_root.py: a process sees the paths of its policy, and no others."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.jailed import OPEN, as_nobody, attempt
from watchglass_jail import JailPolicy
from watchglass_jail.private_root import mounts_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "given").mkdir()
    (tmp_path / "given/file").write_text("given")
    (tmp_path / "secret").write_text("secret")
    for path in (tmp_path, tmp_path / "given"):
        path.chmod(0o755)
    return tmp_path


@pytest.fixture
def policy(folder: Path) -> JailPolicy:
    return as_nobody(replace(OPEN, read=(f"{folder}/given",)))


HIDDEN = {
    "a file beside": ('open("{0}/secret")', "ENOENT"),
    "a file above": ('open("{0}/given/../secret")', "ENOENT"),
    "that it exists": ('os.stat("{0}/secret")', "ENOENT"),
    "the users": ('open("/etc/passwd")', "ENOENT"),
    "processes": ('os.listdir("/proc")', "ENOENT"),
    "devices": ('os.listdir("/sys")', "ENOENT"),
    "the home of root": (f'os.stat("{Path("~root/.profile").expanduser()}")', "ENOENT"),
    "a shell": ('os.stat("/bin/sh")', "ENOENT"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_not_in_the_policy_is_not_there(
    name: str, policy: JailPolicy, folder: Path
) -> None:
    code, error = HIDDEN[name][0].format(folder), HIDDEN[name][1]
    assert attempt(policy, code).said == error
    assert attempt(OPEN, code).said == "done" or "root" in code


def test_the_root_holds_the_given_paths_only(policy: JailPolicy, folder: Path) -> None:
    top = sorted({path.split("/")[1] for path in (*policy.read, *policy.execute)})
    assert attempt(policy, f'assert sorted(os.listdir("/")) == {top}').said == "done"
    listed = f'assert os.listdir("{folder}") == ["given"]; open("{folder}/given/file").read()'
    assert attempt(policy, listed).said == "done"


@pytest.mark.parametrize(
    "code",
    [
        'open("{0}/given/file", "w")',
        'open("{0}/given/new", "w")',
        'open("/new", "w")',
        'os.mkdir("/dev/new")',
        'os.unlink("{0}/given/file")',
        'os.rename("{0}/given/file", "{0}/given/new")',
    ],
)
def test_nothing_can_be_changed(code: str, policy: JailPolicy, folder: Path) -> None:
    folder.joinpath("given").chmod(0o777)
    folder.joinpath("given/file").chmod(0o666)
    assert attempt(policy, code.format(folder)).said == "EROFS"


def test_what_the_policy_lets_write_is_written_outside(folder: Path) -> None:
    folder.joinpath("given").chmod(0o777)
    policy = as_nobody(replace(OPEN, write=(f"{folder}/given",)))
    assert attempt(policy, f'open("{folder}/given/new", "w").write("x")').said == "done"
    assert (folder / "given/new").read_text() == "x"


def test_a_program_in_a_folder_to_read_cannot_be_run(policy: JailPolicy, folder: Path) -> None:
    program = folder / "given/program"
    program.write_bytes(Path("/bin/true").resolve().read_bytes())
    program.chmod(0o755)
    code = f'os.waitpid(os.posix_spawn("{program}", ["x"], {{}}), 0)'
    assert attempt(policy, code).said == "EACCES"
    assert attempt(OPEN, code).said == "done"


def test_a_path_that_goes_over_a_link_is_there_by_that_name(folder: Path) -> None:
    (folder / "name").symlink_to(folder / "given")
    policy = as_nobody(replace(OPEN, read=(f"{folder}/name",)))
    assert attempt(policy, f'open("{folder}/name/file").read()').said == "done"
    assert attempt(policy, f'open("{folder}/given/file").read()').said == "ENOENT"


def test_the_devices_of_the_policy_work(policy: JailPolicy) -> None:
    assert attempt(policy, 'open("/dev/null", "w").write("x")').said == "done"
    assert attempt(policy, 'assert len(open("/dev/urandom", "rb").read(8)) == 8').said == "done"
    assert attempt(policy, 'open("/dev/zero")').said == "ENOENT"


def test_folders_are_mounted_before_what_lies_in_them() -> None:
    policy = JailPolicy(read=("/a/b/c", "/a"), execute=("/a/b",), write=("/a/b/d",))
    mounts = mounts_of(policy)
    assert [mount.path for mount in mounts] == ["/a", "/a/b", "/a/b/c", "/a/b/d"]
    read_only, no_set_user_id, no_program = 1, 2, 8
    assert [mount.attributes for mount in mounts] == [
        read_only | no_set_user_id | no_program,
        read_only | no_set_user_id,
        read_only | no_set_user_id | no_program,
        no_set_user_id | no_program,
    ]
