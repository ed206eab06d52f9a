"""Modules that tests of the client connect to."""

from __future__ import annotations

from spacetimedb_bsatn import Identity, ScheduleAt, Timestamp, f64, u8, u32, u64
from spacetimedb_bsatn.schema import Lifecycle
from spacetimedb_client.module import Module, Operation


def arena(*, owner_only: bool = False) -> Module:
    module = Module(owner_only=owner_only)
    phase = module.enum("Phase", "Lobby", "Running", "Paused")
    spot = module.product("Spot", x=f64, y=f64)
    happening = module.sum("Happening", Joined=str, Moved=spot, Left=None)
    player = module.table(
        "player",
        {"id": u64, "name": str, "score": int, "phase": phase, "spot": spot, "bag": list[str]},
        primary_key="id",
        unique=["name"],
        indexes=["score", ("phase", "score")],
        auto_inc=["id"],
    )
    module.mirror(player)
    module.mirror(module.table("event", {"at": Timestamp, "what": happening}))
    module.mirror(module.table("level", {"player": u64, "level": u32}, primary_key="player"))
    module.mirror(module.table("blob", {"id": u32, "data": bytes}, primary_key="id"))
    module.mirror(module.table("secret", {"id": u32}, primary_key="id", public=False))
    module.reducer("refuse", Operation.FAIL)
    module.reducer("crash", Operation.CRASH)
    module.reducer("apply", Operation.BATCH)
    module.reducer("nothing", Operation.NOTHING)
    calls = module.calls_table(public=True)
    module.reducer("say", Operation.NOTE_CALL, calls, params={"text": str, "loudness": u8})
    module.clients_table("online")
    return module


def scheduled() -> Module:
    """Timers whose reducer notes each call."""
    module = Module()
    timer = module.table(
        "timer",
        {"id": u64, "at": ScheduleAt},
        primary_key="id",
        auto_inc=["id"],
        scheduled="tick",
    )
    calls = module.calls_table(public=True)
    module.reducer("tick", Operation.NOTE_CALL, calls, params={"row": timer.row})
    module.mirror(timer)
    return module


def guarded() -> Module:
    """Rows that only their owner sees."""
    module = Module()
    columns = {"id": u32, "owner": Identity, "text": str}
    note = module.table("note", columns, primary_key="id", indexes=["owner"])
    module.mirror(note)
    module.visibility_filter("SELECT * FROM note WHERE owner = :sender")
    wish = module.sum("Wanted", Said=str, Counted=u32, Left=None)
    module.inbox("wish", {"key": str, "wanted": wish}, indexes=["key"])
    member = module.table("member", {"identity": Identity, "name": str}, primary_key="identity")
    module.mirror(member)
    module.inbox("secret", {"text": str}, only_in=member, refusal="members only: ask Ann")
    return module


def closed() -> Module:
    """Nobody may connect."""
    module = Module()
    module.table("empty", {"id": u32}, primary_key="id")
    refused = Lifecycle.CLIENT_CONNECTED
    module.reducer("hello", Operation.FAIL, params={}, lifecycle=refused, text="go away")
    return module
