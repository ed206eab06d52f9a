"""Tests of isolation.py: what is in force, what is missing, and what that gives up, in words."""

from dataclasses import replace

from watchglass_jail.features import Hierarchy, KernelFeatures
from watchglass_server.isolation import PROCESS_ONLY, isolation_of, refusal, without_layers

ALL = KernelFeatures(
    machine="x86_64",
    landlock_abi=7,
    seccomp=True,
    namespaces=("user", "mount", "pid", "net"),
    private_root=True,
    counts_own_processes=True,
    uids=(100_000, 1000),
    cgroups=(Hierarchy("/a", ("pids",), 1), Hierarchy("/b", ("memory", "pids"), 2)),
)


def test_strict_names_each_layer_that_holds() -> None:
    isolation = isolation_of(ALL)
    assert isolation.level == "strict"
    assert isolation.missing == ()
    assert isolation.words == (
        "each session is held by Landlock, seccomp, no new privileges, resource limits, a private "
        "root, namespaces (mount, pid, net), a user of its own, cgroups (memory, pids)"
    )


def test_strict_without_privileges_names_what_the_machine_does_not_have() -> None:
    isolation = isolation_of(KernelFeatures(landlock_abi=1, seccomp=True))
    assert isolation.layers == ("Landlock", "seccomp", "no new privileges", "resource limits")
    assert isolation.words.endswith(
        "; not on this machine: a private root, namespaces, a user of its own, cgroups"
    )


def test_process_says_what_it_gives_up() -> None:
    for part in ("no jail", "files", "network", "programs", "only people you trust"):
        assert part in PROCESS_ONLY.words


def test_a_refusal_says_what_is_missing_and_what_else_there_is() -> None:
    words = refusal("there is no Landlock")
    for part in ("there is no Landlock", "watchglass doctor", "--isolation process", "gives up"):
        assert part in words
    assert "\n" not in words


def test_layers_beside_landlock_and_seccomp_can_be_given_up() -> None:
    assert without_layers(ALL, ()) == ALL
    assert isolation_of(without_layers(ALL, {"user"})).missing == ("a user of its own",)
    assert "a private root" in isolation_of(without_layers(ALL, {"private root"})).missing
    without = without_layers(ALL, {"namespaces"})
    assert (without.namespaces, without.private_root) == ((), False)
    assert isolation_of(without_layers(ALL, {"cgroups"})).missing == ("cgroups",)


def test_landlock_and_seccomp_cannot_be_given_up_nor_what_stands_in_for_them() -> None:
    for layer in ("landlock", "seccomp", "limits", "libraries", "program", "request"):
        assert without_layers(ALL, {layer}) == ALL
    rooted = replace(ALL, landlock_abi=0)
    assert without_layers(rooted, {"private root", "namespaces"}) == rooted
