"""The small parts behind HTTP and the wire: names, origins, headers, figures, JSON, sizes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_server import json_wire
from watchglass_server.measure import bounded_bundle, fits, json_bytes, well_formed
from watchglass_server.metrics import counter, gauge, gauges, prometheus_text
from watchglass_server.names import clean_name
from watchglass_server.origins import Origins, is_loopback, read_host, shown_host
from watchglass_server.web_files import NO_PAGE, read_files

FOREIGN_ORIGINS = (
    "http://127.0.0.1:1", "https://evil.example", "null", "", "file://", "http://[", "http://[::1",
    "http://127.0.0.1:8765.evil.example", "http://127.0.0.1:8765@evil.example",
    "http://evil.example#127.0.0.1:8765", "http://127.0.0.1:8765/", "http://127.0.0.1.:8765",
    "ftp://127.0.0.1:8765", "http://127.0.0.1:8765 https://notes.example", "http://127.1:8765",
    "https://notes.example.", "https://notes.example:444", "http://notes.example",
    "https://xn--notes-.example", "https://nötes.example", "http://127.0.0.1:99999",
    "http://127.0.0.1:8765\\.evil.example", "http://\uff12127.0.0.1:8765",
)  # fmt: skip
FOREIGN_HOSTS = (
    "evil.example", "evil.example:8765", "", "127.0.0.1.evil.example", "evil@127.0.0.1",
    "127.0.0.1/evil", "127.0.0.1#evil", "localhost.", "127.0.0.1:x", "[::1", "[evil]", "[::1]x",
    "localhost localhost", "localhost,evil.example", "xn--lcalhost-9tb", "l\u03bfcalhost",
    "localhost:99999", "localhost\n", "[::1%25lo]",
)  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec=None)), inner),
    max_leaves=20,
)  # fmt: skip


def test_only_the_own_page_and_the_allowed_ones_may_connect() -> None:
    origins = Origins("127.0.0.1", ("https://notes.example",))
    assert origins.is_allowed("http://127.0.0.1:8765", "127.0.0.1:8765")
    assert origins.is_allowed("https://localhost:8765", "localhost:8765")
    assert origins.is_allowed("https://notes.example", "127.0.0.1:8765")
    assert origins.is_allowed("HTTPS://Notes.Example", "127.0.0.1:8765")
    assert origins.is_allowed("http://[::1]:8765", "[::1]:8765")
    assert origins.is_allowed("http://localhost", "LOCALHOST:80")
    assert origins.is_allowed("https://localhost:443", "localhost")
    for origin in FOREIGN_ORIGINS:
        assert not origins.is_allowed(origin, "127.0.0.1:8765"), origin
    assert not origins.is_allowed("http://", "")
    assert not origins.is_allowed("http://localhost", "localhost:443")


def test_a_local_server_answers_to_local_names_only() -> None:
    local = Origins("127.0.0.1", ("https://notes.example",))
    for host in ("127.0.0.1:8765", "localhost", "LocalHost:1", "[::1]:80", "notes.example:443"):
        assert local.is_host_known(host)
    for host in FOREIGN_HOSTS:
        assert not local.is_host_known(host), host


def test_a_server_for_others_answers_to_addresses_and_to_the_names_it_was_told() -> None:
    public = Origins("0.0.0.0", ("https://notes.example",), ("box",))
    for host in ("192.168.1.5:8765", "[2001:db8::1]:8765", "box", "box.local:1", "notes.example"):
        assert public.is_host_known(host), host
    for host in FOREIGN_HOSTS:
        assert not public.is_host_known(host), host
    assert Origins("box.lan", ()).is_host_known("box.lan:8765")


@given(st.text())
def test_no_header_makes_the_rules_fail(text: str) -> None:
    origins = Origins("127.0.0.1", ())
    known = read_host(text)
    is_local = known is not None and known.name in ("localhost", "127.0.0.1", "::1")
    assert origins.is_host_known(text) is is_local
    assert not origins.is_own(text, "localhost") or "localhost" in text.lower()


def test_what_a_browser_says_about_the_asking_page_counts() -> None:
    origins = Origins("127.0.0.1", ("https://notes.example",))
    for site in (None, "none", "same-origin"):
        assert not origins.is_site_foreign(site, None, "localhost")
    for site in ("cross-site", "same-site", "anything"):
        assert origins.is_site_foreign(site, None, "localhost")
        assert origins.is_site_foreign(site, "null", "localhost")
        assert not origins.is_site_foreign(site, "https://notes.example", "localhost")


@pytest.mark.parametrize(
    ("host", "local", "shown"),
    [
        ("127.0.0.1", True, "127.0.0.1"),
        ("localhost", True, "localhost"),
        ("::1", True, "[::1]"),
        ("0.0.0.0", False, "127.0.0.1"),
        ("192.168.1.5", False, "192.168.1.5"),
        ("box.lan", False, "box.lan"),
    ],
)
def test_an_address_is_shown_as_a_person_can_open_it(host: str, local: bool, shown: str) -> None:
    assert is_loopback(host) is local
    assert shown_host(host) == shown


def test_files_of_the_page_get_the_headers_they_need(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    for name in ("index.html", "output.html", "main-6LBDRVOA.js", "assets/a.css"):
        (tmp_path / name).write_text("x")
    files = read_files(tmp_path)
    assert files.keys() == {"index.html", "output.html", "main-6LBDRVOA.js", "assets/a.css"}
    assert files["index.html"].headers()["Cache-Control"] == "no-cache"
    assert "immutable" in files["main-6LBDRVOA.js"].headers()["Cache-Control"]
    assert files["main-6LBDRVOA.js"].content_type.startswith("text/javascript")
    policy = files["output.html"].headers()["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy, "default-src 'none' has to hold for connections"
    assert read_files(None) == {}
    assert b"make install" in NO_PAGE.data


def test_figures_are_written_as_prometheus_reads_them() -> None:
    text = prometheus_text(
        [
            gauge("sessions", "How many.", 3),
            counter("calls_total", "All.", 12345678901),
            gauges("pool", 'a "b"\nc', "state", {"warm": 1, 'x"\\': 2.5}),
        ]
    )
    assert text.splitlines() == [
        "# HELP watchglass_sessions How many.",
        "# TYPE watchglass_sessions gauge",
        "watchglass_sessions 3",
        "# HELP watchglass_calls_total All.",
        "# TYPE watchglass_calls_total counter",
        "watchglass_calls_total 12345678901",
        '# HELP watchglass_pool a "b"\\nc',
        "# TYPE watchglass_pool gauge",
        'watchglass_pool{state="warm"} 1',
        'watchglass_pool{state="x\\"\\\\"} 2.5',
    ]


@given(json_values)
def test_any_json_goes_over_the_wire_and_back(value: Any) -> None:
    text = json_wire.dumps(value)
    text.encode()
    assert json_wire.loads(text) == value


def test_what_is_no_json_is_refused_on_both_ways() -> None:
    for text in ("NaN", "[Infinity]", "-Infinity", "{", "", "[1,]"):
        with pytest.raises(ValueError, match=r"JSON|Expecting|Illegal|property"):
            json_wire.loads(text)
    with pytest.raises(ValueError, match="JSON"):
        json_wire.dumps(float("nan"))


@given(json_values)
def test_the_measured_size_is_near_the_real_one(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    real = len(text.encode("utf-8", "surrogatepass"))
    assert json_bytes(value) >= real // 8
    assert fits(value, 10 * real + 100)


def test_measuring_ends_soon_after_the_limit() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert not fits(endless, 1000)


@given(st.text(st.characters(codec=None)))
def test_text_is_made_so_that_every_store_can_carry_it(text: str) -> None:
    made = well_formed(text)
    made.encode()
    if not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        assert made == text


def test_a_small_bundle_stays_as_it_is() -> None:
    bundle = {"text/plain": "x", "application/json": {"a": [1, 2]}}
    assert bounded_bundle(bundle) is bundle


def test_a_name_cannot_hide_or_turn_anything_around() -> None:
    for hidden in "\u202e\u2066\u200b\ufeff\u2028\x1b\n\u3164\U000e0041\ud800\u00ad\u200d":
        assert clean_name(f"An{hidden}a") == "An�a", hex(ord(hidden))
    for name in ("Zoë", "名前", "שלום", "عمر", "👩\u200d🔬", "❤\ufe0f", "नमस्ते"):
        assert clean_name(name) == name


def test_a_bundle_of_very_many_parts_is_not_shown_and_soon_measured() -> None:
    started = time.process_time()
    bundle = bounded_bundle({"text/plain": "x", "application/json": [{"a": []}] * 500_000})
    assert bundle.keys() == {"text/plain"}
    assert "application/json, at least " in bundle["text/plain"]
    assert time.process_time() - started < 1
