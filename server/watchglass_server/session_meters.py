"""How much each execution has printed and displayed, and whether there is room for more. Pure."""

from __future__ import annotations

from dataclasses import replace

from watchglass_server.measure import MAX_BUNDLE_BYTES, json_bytes
from watchglass_server.session_state import Aside, Meter, Step

HEAD_BYTES = 256 * 2**10
HEAD_BYTES_PER_S = 16 * 2**10
HEAD_BYTES_MOST = 2**20
PIECES = 2**20
DISPLAYS = 300
DISPLAYS_PER_S = 20
DISPLAY_BYTES = 512 * 2**20
DISPLAY_BYTES_PER_S = 4 * 2**20
# Executions that have ended share this, for there is no end to their number.
ASIDE_BYTES = 256 * 2**20
ASIDE_BYTES_PER_S = 4 * 2**20
PIECE_COST = 64
DISPLAY_COST = 16 * 2**10
METERS_KEPT = 64
# Printed by no execution (before the first, or by a task of one that is forgotten).
NOBODY = ""


def meter_of(step: Step, key: str | None) -> Meter:
    """What is known of this execution's output."""
    return step.session.meters.get(key or NOBODY) or Meter(since=step.moment.clock)


def change_meter(step: Step, key: str | None, meter: Meter) -> None:
    """Note it, and forget one that has nothing more to tell when there are many."""
    meters = {**step.session.meters, (key or NOBODY): meter}
    if len(meters) > METERS_KEPT:
        needed = {key or NOBODY, _running(step) or NOBODY}
        spare = [old for old, one in meters.items() if one.is_told and old not in needed]
        for old in spare[:1]:
            del meters[old]
    step.change(meters=meters)


def can_send_text(step: Step, meter: Meter, size: int) -> bool:
    """Whether this much more text is sent at once."""
    seconds = step.moment.clock - meter.since
    room = min(HEAD_BYTES + HEAD_BYTES_PER_S * seconds, HEAD_BYTES_MOST)
    return not meter.is_cut and meter.sent_bytes + size <= room


def keeps_text(step: Step, key: str | None, size: int) -> bool:
    """Count one more piece of text; False when there are too many to be kept."""
    meter = meter_of(step, key)
    if meter.pieces < PIECES and (_runs(step, key) or _takes_aside(step, PIECE_COST + size)):
        change_meter(step, key, replace(meter, pieces=meter.pieces + 1))
        return True
    unkept = meter.unkept_bytes + size
    change_meter(step, key, replace(meter, is_cut=True, unkept_bytes=unkept, is_told=False))
    return False


def shows(step: Step, key: str | None, content: object) -> bool:
    """Count one more display, or exception; False when there are too many."""
    meter = meter_of(step, key)
    seconds = step.moment.clock - meter.since
    if meter.displays < DISPLAYS + DISPLAYS_PER_S * seconds:
        shown = meter.display_bytes + json_bytes(content, MAX_BUNDLE_BYTES)
        room = DISPLAY_BYTES + DISPLAY_BYTES_PER_S * seconds
        cost = DISPLAY_COST + shown - meter.display_bytes
        if shown <= room and (_runs(step, key) or _takes_aside(step, cost)):
            meter = replace(meter, displays=meter.displays + 1, display_bytes=shown)
            change_meter(step, key, meter)
            return True
    dropped = meter.dropped_displays + 1
    change_meter(step, key, replace(meter, dropped_displays=dropped, is_told=False))
    return False


def _takes_aside(step: Step, cost: int) -> bool:
    """Pay for what an execution leaves that has ended, or none; False when that is used up."""
    aside, clock = step.session.aside, step.moment.clock
    spent = max(0.0, aside.spent - ASIDE_BYTES_PER_S * (clock - aside.at))
    if spent + cost > ASIDE_BYTES:
        return False
    step.change(aside=Aside(spent + cost, clock))
    return True


def _runs(step: Step, key: str | None) -> bool:
    return key is not None and key == _running(step)


def _running(step: Step) -> str | None:
    running = step.session.running
    return running.execution if running else None
