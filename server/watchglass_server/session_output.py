"""What a process prints and displays → events, as long as they are not too many. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from watchglass_server import host_messages as h
from watchglass_server import notifications as n
from watchglass_server.measure import bounded_bundle, bounded_traceback, well_formed
from watchglass_server.package_policy import hint
from watchglass_server.pictures import StreamPart
from watchglass_server.session_fold import script_numbers
from watchglass_server.session_inputs import Notice, Store
from watchglass_server.session_meters import (
    NOBODY,
    can_send_text,
    change_meter,
    keeps_text,
    meter_of,
    shows,
)
from watchglass_server.session_state import Step
from watchglass_sync.records import OutputRecord

TAIL_BYTES = 16 * 2**10
TELL_EVERY_S = 1.0
_FRAME = re.compile(r'^(\s*File ")<In\[(\d{1,9})\]>(?=", line )')


def stream(step: Step, event: h.Stream) -> None:
    """Keep the text, unless it comes in pieces without end; send it as long as there is room."""
    key = execution_of(step, event.request_id)
    text = well_formed(event.text)
    size = len(text.encode())
    if not keeps_text(step, key, size):
        _tell_if_due(step, key)
        _touch(step, key)
        return
    if key is not None:
        step.act(Store(OutputRecord(key, event.name, text)))
    meter = meter_of(step, key)
    if can_send_text(step, meter, size):
        step.record(n.StreamNotification(execution=key, name=event.name, text=text))
        change_meter(step, key, replace(meter, sent_bytes=meter.sent_bytes + size))
    else:
        tail, fallen = _pushed(meter.tail, StreamPart(name=event.name, text=text))
        change_meter(
            step,
            key,
            replace(
                meter,
                is_cut=True,
                tail=tail,
                dropped_bytes=meter.dropped_bytes + fallen,
                is_told=False,
            ),
        )
        _tell_if_due(step, key)
    _touch(step, key)


def notice(step: Step, event: Notice) -> None:
    """Say something of the server's own where people read what their code prints."""
    number = step.session.fold.last_number
    stream(step, h.Stream(request_id=number, name="stderr", text=event.text))


def stream_dropped(step: Step, event: h.StreamDropped) -> None:
    """Take note of text beyond the limit, which is kept nowhere."""
    key = execution_of(step, event.request_id)
    meter = replace(meter_of(step, key), is_cut=True, lost_bytes=event.dropped_bytes, is_told=False)
    change_meter(step, key, meter)
    _tell_if_due(step, key)
    _touch(step, key)


def display(step: Step, event: h.DisplayData | h.UpdateDisplayData) -> None:
    """Send a display, or count it where there are too many."""
    key = execution_of(step, event.request_id)
    if not _has_room_for_display(step, key, event.bundle):
        return
    bundle = bounded_bundle(event.bundle)
    if isinstance(event, h.UpdateDisplayData):
        step.record(
            n.UpdateDisplayDataNotification(
                execution=key, bundle=bundle, display_id=event.display_id
            )
        )
    else:
        step.record(
            n.DisplayDataNotification(execution=key, bundle=bundle, display_id=event.display_id)
        )
    _touch(step, key)


def result(step: Step, event: h.ExecuteResult) -> None:
    """Send the value of the last expression."""
    key = execution_of(step, event.request_id)
    if key is None:
        return
    step.record(
        n.ExecuteResultNotification(
            execution=key, number=event.request_id, bundle=bounded_bundle(event.bundle)
        )
    )
    _touch(step, key)


def error(step: Step, event: h.Error) -> None:
    """Send an exception; tasks in the background may raise many."""
    key = execution_of(step, event.request_id)
    if not _has_room_for_display(step, key, event.traceback):
        return
    step.record(
        n.ErrorNotification(
            execution=key,
            name=event.name,
            message=event.message[:10_000],
            traceback=bounded_traceback([*_with_files(step, event.traceback), *_hint(step, event)]),
            line=event.line,
        )
    )
    _touch(step, key)


def _hint(step: Step, event: h.Error) -> list[str]:
    """How to get the module that is not there, where its author may."""
    if event.name != "ModuleNotFoundError":
        return []
    is_owner = execution_of(step, event.request_id) in step.session.by_owner
    words = hint(step.session.policy, event.message, is_owner=is_owner)
    return [words] if words else []


def _with_files(step: Step, traceback: list[str]) -> list[str]:
    """Frames in the text of a loaded file say which one it is; the lines are the same."""
    files = script_numbers(step.session.fold)
    if not files:
        return traceback

    def named(found: re.Match[str]) -> str:
        file = files.get(int(found[2]))
        return f"{found[1]}{file} <In[{found[2]}]>" if file is not None else found[0]

    return [_FRAME.sub(named, line) for line in traceback]


def _has_room_for_display(step: Step, key: str | None, content: object) -> bool:
    """Count one more; False when there are too many, which is told."""
    if shows(step, key, content):
        return True
    _tell_if_due(step, key)
    return False


def tell(step: Step, key: str | None) -> None:
    """Say what was left out of an execution's output, if that is not said yet."""
    meter = step.session.meters.get(key or NOBODY)
    if meter is None or meter.is_told:
        return
    step.record(
        n.StreamTruncatedNotification(
            execution=key,
            dropped_bytes=meter.dropped_bytes,
            tail=list(meter.tail),
            lost_bytes=meter.lost_bytes + meter.unkept_bytes,
            dropped_displays=meter.dropped_displays,
        )
    )
    change_meter(step, key, replace(meter, is_told=True, told_at=step.moment.clock))
    _touch(step, key)


def tell_all_due(step: Step) -> None:
    """Say it for every execution that floods, once a second."""
    for key in list(step.session.meters):
        _tell_if_due(step, key or None)


def execution_of(step: Step, request_id: int) -> str | None:
    """The execution that a process means by a number."""
    return step.session.numbers.get(request_id)


def _tell_if_due(step: Step, key: str | None) -> None:
    meter = step.session.meters[key or NOBODY]
    if not meter.is_told and step.moment.clock - meter.told_at >= TELL_EVERY_S:
        tell(step, key)


def _touch(step: Step, key: str | None) -> None:
    if key is not None:
        step.touch(key)


def _pushed(tail: tuple[StreamPart, ...], part: StreamPart) -> tuple[tuple[StreamPart, ...], int]:
    """The newest text of both, and how many bytes fell out in front."""
    parts = list(tail)
    if parts and parts[-1].name == part.name:
        parts[-1] = StreamPart(name=part.name, text=parts[-1].text + part.text)
    else:
        parts.append(part)
    surplus = sum(len(one.text.encode()) for one in parts) - TAIL_BYTES
    fallen = 0
    while surplus > 0:
        data = parts[0].text.encode()
        if len(data) <= surplus:
            parts.pop(0)
            cut = len(data)
        else:
            # Never inside a character: its continuation bytes fall out with it.
            cut = surplus
            while cut < len(data) and data[cut] & 0xC0 == 0x80:
                cut += 1
            parts[0] = StreamPart(name=parts[0].name, text=data[cut:].decode())
        fallen += cut
        surplus -= cut
    return tuple(parts), fallen
