"""Value -> MIME bundle, and display() as IPython has it."""

import base64
import json
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from watchglass_monitor.plain_text import cut, describe, plain_text

Bundle = dict[str, object]
MAX_BUNDLE_BYTES = 4 * 1024 * 1024
# What the server takes (server/watchglass_server/host_messages.py): beyond it, it ends the process.
MAX_MIME_TYPES = 50
MAX_MIME_CHARACTERS = 200
MAX_JSON_DEPTH = 150
MAX_ID_CHARACTERS = 1000
_METHODS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "application/json": "_repr_json_",
    "application/javascript": "_repr_javascript_",
}


@dataclass(frozen=True, slots=True)
class Publication:
    """One bundle on its way out of the process."""

    bundle: Bundle
    display_id: str | None = None
    update: bool = False


def _print_plain(publication: Publication) -> None:
    print(publication.bundle["text/plain"])


_publish: Callable[[Publication], None] = _print_plain


def set_publisher(publish: Callable[[Publication], None]) -> None:
    """Send what display() shows to `publish` from now on."""
    global _publish
    _publish = publish


def mime_bundle(value: object) -> Bundle:
    """All representations of `value`; text/plain is always there."""
    problems: list[str] = []
    bundle: Bundle = {"text/plain": plain_text(value)}
    # A class has the methods of its instances, which cannot be called on it.
    if not isinstance(value, type):
        for kind, method in _METHODS.items():
            _add(bundle, kind, _call(value, method, problems), problems)
        for mime, data in _own_bundle(value, problems).items():
            _add(bundle, mime, data, problems)
    return _bounded(bundle, problems)


def _own_bundle(value: object, problems: list[str]) -> Mapping[object, object]:
    own = _call(value, "_repr_mimebundle_", problems, include=None, exclude=None)
    if isinstance(own, tuple) and own:
        own = own[0]  # the second part is metadata, which the wire has no place for
    if own is None or isinstance(own, dict):
        return own or {}
    problems.append(f"_repr_mimebundle_ returned {type(own).__name__}, not a dict")
    return {}


def _call(value: object, name: str, problems: list[str], **options: object) -> object:
    # Looked up on the type: __getattr__ of an instance may answer to any name.
    method = getattr(type(value), name, None)
    if method is None:
        return None
    try:
        return method(value, **options)
    except KeyboardInterrupt:
        raise
    except BaseException as problem:
        problems.append(f"{name} raised {describe(problem)}")
        return None


def _add(bundle: Bundle, mime: object, data: object, problems: list[str]) -> None:
    if isinstance(data, tuple) and data:
        data = data[0]
    if data is None:
        return
    if not isinstance(mime, str):
        problems.append(f"a MIME type must be a str, not {type(mime).__name__}")
    elif len(mime) > MAX_MIME_CHARACTERS:
        problems.append(f"a MIME type of {len(mime)} characters; {MAX_MIME_CHARACTERS} are allowed")
    elif mime not in bundle and len(bundle) >= MAX_MIME_TYPES:
        problems.append(f"{mime} is left out: a result may have {MAX_MIME_TYPES} MIME types")
    elif isinstance(data, bytes | bytearray | memoryview):
        bundle[mime] = base64.b64encode(data).decode("ascii")
    elif isinstance(data, str):
        bundle[mime] = str.__str__(data)
    elif mime == "application/json" or mime.endswith("+json"):
        _add_json(bundle, mime, data, problems)
    else:
        problems.append(f"{mime} must be a str or bytes, not {type(data).__name__}")


def _add_json(bundle: Bundle, mime: str, data: object, problems: list[str]) -> None:
    try:
        # A round trip: nothing but plain JSON may reach the wire, and nan is not JSON.
        plain = json.loads(json.dumps(data, allow_nan=False))
        if _is_deeper(plain, MAX_JSON_DEPTH):
            problems.append(f"{mime} is left out: it nests more than {MAX_JSON_DEPTH} levels")
        else:
            bundle[mime] = plain
    except KeyboardInterrupt:
        raise
    except BaseException as problem:
        problems.append(f"{mime} cannot be written as JSON: {describe(problem)}")


def _is_deeper(data: object, levels: int) -> bool:
    """Whether plain JSON nests deeper; level by level, for recursion has its own limit."""
    level: list[object] = [data]
    for _ in range(levels + 1):
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        level = inner
        if not level:
            return False
    return True


def _bounded(bundle: Bundle, problems: list[str]) -> Bundle:
    sizes = {mime: _size(data) for mime, data in bundle.items()}
    room = MAX_BUNDLE_BYTES - sizes["text/plain"]
    for mime in sorted(bundle, key=sizes.__getitem__):
        if mime == "text/plain":
            continue
        room -= sizes[mime]
        if room < 0:
            del bundle[mime]
            problems.append(
                f"{mime} is left out: {sizes[mime] / 2**20:.1f} MiB, "
                f"and one result may have {MAX_BUNDLE_BYTES // 2**20} MiB in all"
            )
    if problems:
        notes = "".join(f"\n[{cut(problem, 2000)}]" for problem in problems[:20])
        bundle["text/plain"] = f"{bundle['text/plain']}{notes}"
    return bundle


def _size(data: object) -> int:
    if isinstance(data, str):
        return len(data) if data.isascii() else len(data.encode("utf-8", "surrogatepass"))
    return len(json.dumps(data))


def display(
    *values: object,
    include: Collection[str] | None = None,
    exclude: Collection[str] | None = None,
    display_id: str | bool | None = None,
    raw: bool = False,
    metadata: Mapping[str, object] | None = None,
) -> "DisplayHandle | None":
    """Show each value in its richest form; with `display_id`, return a handle to change it."""
    handle = DisplayHandle(None if display_id is True else display_id) if display_id else None
    for value in values:
        bundle = _raw(value) if raw else mime_bundle(value)
        _publish(
            Publication(_filtered(bundle, include, exclude), handle.display_id if handle else None)
        )
    return handle


def update_display(value: object, *, display_id: str, raw: bool = False) -> None:
    """Replace what was shown under `display_id`."""
    bundle = _raw(value) if raw else mime_bundle(value)
    _publish(Publication(bundle, _checked_id(display_id), update=True))


def _checked_id(display_id: object) -> str:
    if not isinstance(display_id, str):
        raise TypeError(f"display_id must be a str, not {type(display_id).__name__}")
    if len(display_id) > MAX_ID_CHARACTERS:
        raise ValueError(
            f"display_id has {len(display_id)} characters; {MAX_ID_CHARACTERS} are allowed"
        )
    return display_id


def _raw(value: object) -> Bundle:
    if not isinstance(value, Mapping):
        raise TypeError(
            f"display(…, raw=True) takes a dict of MIME types, not {type(value).__name__}; "
            "leave raw out to show any value"
        )
    problems: list[str] = []
    bundle: Bundle = {"text/plain": ""}
    for mime, data in value.items():
        _add(bundle, mime, data, problems)
    return _bounded(bundle, problems)


def _filtered(
    bundle: Bundle, include: Collection[str] | None, exclude: Collection[str] | None
) -> Bundle:
    return {
        mime: data
        for mime, data in bundle.items()
        if mime == "text/plain"
        or ((include is None or mime in include) and mime not in (exclude or ()))
    }


class DisplayHandle:
    """Something shown, which can be shown differently."""

    def __init__(self, display_id: str | bool | None = None) -> None:
        if display_id is None or isinstance(display_id, bool):
            display_id = os.urandom(8).hex()
        self.display_id = _checked_id(display_id)

    def __repr__(self) -> str:
        return f"<DisplayHandle display_id={self.display_id}>"

    def display(self, value: object) -> None:
        """Show `value` under this handle's id, once more."""
        display(value, display_id=self.display_id)

    def update(self, value: object, *, raw: bool = False) -> None:
        """Replace what is shown under this handle's id."""
        update_display(value, display_id=self.display_id, raw=raw)
