"""What follows from the owner's list of permissions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from watchglass_sync.permissions import ROLES, Access, Permission, Permissions, change_of

ANN, BOB = "c2" + "a" * 62, "c2" + "b" * 62
SESSIONS = ("s1", "s2", "s3")
PERMISSIONS = st.builds(
    Permission,
    st.sampled_from((ANN, BOB)),
    st.sampled_from((None, *SESSIONS)),
    st.sampled_from(ROLES),
)


def test_the_higher_of_two_roles_counts() -> None:
    granted = Permissions([Permission(ANN, None, "viewer"), Permission(ANN, "s1", "owner")])
    assert granted.role_in(ANN, "s1") == "owner"
    assert granted.role_in(ANN, "s2") == "viewer"
    assert granted.role_in(ANN, None) == "viewer"
    assert granted.role_in(BOB, "s1") is None
    assert [each.role for each in granted.of("s1")] == ["owner"]
    assert granted.identities == {ANN}


def test_a_role_that_is_none_gives_nothing() -> None:
    granted = Permissions([Permission(ANN, "s1", "root")])
    assert granted.role_in(ANN, "s1") is None
    assert granted.access(["s1"]) == {}


def test_a_name_is_what_was_granted_with_or_how_the_identity_begins() -> None:
    granted = Permissions(
        [Permission(ANN, "s1", "viewer", "arena"), Permission(BOB, None, "owner")]
    )
    assert granted.name_of(ANN) == "arena"
    assert granted.name_of(BOB) == "identity c2bbbbbbbbbb"


@given(st.lists(PERMISSIONS), st.lists(PERMISSIONS), st.sets(st.sampled_from(SESSIONS)))
def test_a_change_makes_what_is_there_into_what_should_be(
    before: list[Permission], after: list[Permission], sessions: set[str]
) -> None:
    found, due = Permissions(before).access(SESSIONS), Permissions(after).access(sessions)
    change = change_of(found, due)
    made = {key: row for key, row in found.items() if key not in change.deleted}
    made |= {row.key: row for row in change.written}
    assert made == due
    assert all(found.get(row.key) != row for row in change.written)
    for row in due.values():
        assert isinstance(row, Access)
        assert row.role == Permissions(after).role_in(row.identity, row.session)
