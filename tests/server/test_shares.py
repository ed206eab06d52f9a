"""Shares: secrets nowhere but with their owner, and an end by time, by use and by revoking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from watchglass_server.client import ServerAddress
from watchglass_server.clock import Clock
from watchglass_server.config import Config
from watchglass_server.refusals import Refused
from watchglass_server.shares import SHARES_PER_SESSION, Grant, NewShare, Shares
from watchglass_server.tokens import StoredShare, hashed, is_same, new_id, new_secret, token_of
from watchglass_sync.journal import Journal
from watchglass_sync.records import SessionRecord


class SetClock(Clock):
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def epoch_s(self) -> float:
        return self.now_s


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with await Journal.open(tmp_path) as opened:
        for session in ("one", "two"):
            await opened.append(session, [SessionRecord({"name": session})])
        yield opened


async def loaded(journal: Journal, clock: Clock) -> Shares:
    shares = Shares(journal, clock)
    await shares.load()
    return shares


async def test_a_token_opens_its_session_with_its_role_also_after_a_start(
    journal: Journal,
) -> None:
    shares = await loaded(journal, SetClock())
    made = shares.make("one", "editor", label="class")
    await shares.store(made.share)
    again = await loaded(journal, SetClock())
    for known in (shares, again):
        assert known.grant(made.token) == Grant("one", "editor", made.share.share)
        assert known.grant(made.token + "x") is None
        assert known.grant(made.code) is None
        assert (await known.exchange(made.code))[1] == made.token


async def test_nothing_that_is_stored_opens_anything(journal: Journal) -> None:
    shares = await loaded(journal, SetClock())
    made = shares.make("one", "owner", label=None)
    await shares.store(made.share)
    (row,) = await journal.shares()
    assert made.code not in str(row)
    assert made.token not in str(row)
    for value in row.fields.values():
        assert shares.grant(str(value)) is None


async def test_uses_are_counted_over_a_start(journal: Journal) -> None:
    shares = await loaded(journal, SetClock())
    made = shares.make("one", "viewer", label=None, max_uses=2)
    await shares.store(made.share)
    await shares.exchange(made.code)
    again = await loaded(journal, SetClock())
    await again.exchange(made.code)
    with pytest.raises(Refused, match="limit_exceeded"):
        await again.exchange(made.code)
    assert again.grant(made.token) is not None


async def test_of_many_exchanges_at_once_only_so_many_win_as_there_are_uses(
    journal: Journal,
) -> None:
    shares = await loaded(journal, SetClock())
    made = shares.make("one", "viewer", label=None, max_uses=2)
    await shares.store(made.share)
    answers = await asyncio.gather(
        *(shares.exchange(made.code) for _ in range(20)), return_exceptions=True
    )
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert [token for _, token in won] == [made.token] * 2
    assert shares.of("one")[0].uses == 2


async def test_a_link_alone_is_not_enough_to_make_its_token(journal: Journal) -> None:
    shares = await loaded(journal, SetClock())
    made = shares.make("one", "viewer", label=None, max_uses=1)
    await shares.store(made.share)
    await shares.exchange(made.code)
    for salt in ("", made.code, "one", made.share.share):
        assert shares.grant(token_of(made.code, salt)) is None


async def test_an_exchange_that_is_overtaken_by_the_revoking_gives_nothing(
    journal: Journal,
) -> None:
    shares = await loaded(journal, SetClock())
    made = shares.make("one", "viewer", label=None)
    await shares.store(made.share)
    exchange = asyncio.create_task(shares.exchange(made.code))
    await asyncio.sleep(0)

    async def note(share: str) -> None:
        pass

    await shares.revoke("one", made.share.share, note)
    with pytest.raises(Refused, match="unauthorized"):
        await exchange


def test_a_secret_is_in_no_picture_of_what_holds_it(tmp_path: Path) -> None:
    share = StoredShare(
        share="s", session="one", role="viewer", label=None, created_at="", code_hash="",
        token_hash="",
    )  # fmt: skip
    for holder in (
        NewShare(share, "secret-1", "secret-2"),
        Config(token="secret-of-16-letters"),
        ServerAddress("http://x", "secret-3"),
    ):
        assert "secret" not in repr(holder)


async def test_time_ends_a_share_and_tells_of_it(journal: Journal) -> None:
    clock = SetClock()
    shares = await loaded(journal, clock)
    made = shares.make("one", "viewer", label=None, expires_in_s=60)
    await shares.store(made.share)
    assert made.share.expires_at == "2023-11-14T22:14:20.000000Z"
    clock.now_s += 61
    assert shares.grant(made.token) is None
    assert shares.of("one") == []
    with pytest.raises(Refused, match="unauthorized"):
        await shares.exchange(made.code)
    ended: list[str] = []

    async def note(share: str) -> None:
        ended.append(share)

    await shares.end_expired(note)
    await shares.end_expired(note)
    assert ended == [made.share.share]
    assert await journal.shares() == []


async def test_a_share_is_revoked_by_its_own_session_only(journal: Journal) -> None:
    shares = await loaded(journal, SetClock())
    made = shares.make("one", "viewer", label=None)
    await shares.store(made.share)
    ended: list[str] = []

    async def note(share: str) -> None:
        assert not shares.is_open(share)
        ended.append(share)

    for session, share in (("two", made.share.share), ("one", "nosuch")):
        with pytest.raises(Refused, match="bad_request"):
            await shares.revoke(session, share, note)
    assert shares.is_open(made.share.share)
    await shares.revoke("one", made.share.share, note)
    assert ended == [made.share.share]
    assert shares.grant(made.token) is None
    assert (await loaded(journal, SetClock())).grant(made.token) is None


async def test_a_session_has_a_bounded_number_of_shares(journal: Journal) -> None:
    shares = await loaded(journal, SetClock())
    for _ in range(SHARES_PER_SESSION):
        shares.make("one", "viewer", label=None)
    with pytest.raises(Refused, match="limit_exceeded"):
        shares.make("one", "viewer", label=None)
    shares.make("two", "viewer", label=None)
    assert len(shares.forget("one")) == SHARES_PER_SESSION
    assert len(shares.of("two")) == 1


def test_secrets_are_long_and_never_the_same() -> None:
    assert len({new_secret() for _ in range(1000)}) == 1000
    assert len(new_secret()) >= 43
    assert len({new_id() for _ in range(1000)}) == 1000
    assert token_of("a", "s") == token_of("a", "s") != token_of("b", "s")
    assert is_same("\ud800", hashed("\ud800"))
    assert not is_same("", hashed("x"))
