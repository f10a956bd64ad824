"""A request is read whatever its headers claim, and refused in words where nothing can be read."""

from __future__ import annotations

import base64
import gzip
import json
import tomllib
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

import uptake.connectors
from uptake.connectors.lz_string import from_lz_string
from uptake.connectors.message import Unreadable, time_of
from uptake.connectors.protocols import PROTOCOLS, protocol_called
from uptake.connectors.request import MAX_UNPACKED, Request, inflated

CONTENT = {"event": "订单 processed", "n": 1}
PLAIN = json.dumps(CONTENT, ensure_ascii=False).encode()
BASE64 = base64.b64encode(PLAIN).decode()


def packed(content: bytes) -> bytes:
    """Gzip without the time of packing, so that the names of the cases below never change."""
    return gzip.compress(content, mtime=0)


FOREIGN = Path(__file__).parents[4].parent / "shared" / "data" / "wire"
SPEAKERS = {"segment": "segment", "rudder": "segment", "segumd": "segment", "posthog": "posthog", "ph": "posthog"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", PLAIN),
        ("/", b"\xef\xbb\xbf" + PLAIN),
        ("/", packed(PLAIN)),
        ("/", packed(packed(PLAIN))),
        ("/", zlib.compress(PLAIN)),
        ("/", packed(PLAIN[:5]) + packed(PLAIN[5:])),
        ("/", BASE64.encode()),
        ("/", b"data=" + quote(BASE64, safe="").encode()),
        ("/", b"data=" + BASE64.encode()),
        ("/", urlencode({"data": PLAIN.decode()}).encode()),
        ("/", urlencode({"data": base64.b64encode(packed(PLAIN)).decode(), "gzip": "1"}).encode()),
        ("/", base64.urlsafe_b64encode(packed(PLAIN)).rstrip(b"=")),
        ("/?data=" + quote(BASE64, safe=""), b""),
    ],
)
def test_a_body_is_known_by_its_first_bytes(path: str, body: bytes) -> None:
    assert Request("POST", path, {"Content-Type": "application/octet-stream"}, body).document == CONTENT


@pytest.mark.parametrize("body", [b"{", b"\x1f\x8bnot gzip", packed(PLAIN)[:-9], b"!!", b"[" * 100_000])
def test_what_cannot_be_read_is_said_in_words(body: bytes) -> None:
    with pytest.raises(Unreadable, match=r"[a-z]"):
        _ = Request("POST", "/", {}, body).document


def test_a_bomb_is_stopped_at_the_limit() -> None:
    with pytest.raises(Unreadable, match="passes"):
        inflated(gzip.compress(b"0" * (MAX_UNPACKED + 1)))


def test_numbers_keep_their_digits() -> None:
    found = Request("POST", "/", {}, b'{"a": 12.5, "b": 0.12345678901234567890, "c": NaN, "d": 1e999}').document
    assert found == {"a": 12.5, "b": Decimal("0.12345678901234567890"), "c": None, "d": Decimal("1e999")}


@given(
    st.binary(max_size=200), st.sampled_from(sorted(PROTOCOLS)), st.sampled_from(["", "?e=pv", "?data=e30", "?cdt=x"])
)
def test_no_body_breaks_a_reader(body: bytes, name: str, query: str) -> None:
    try:
        reading = PROTOCOLS[name].read(Request("POST", f"/x{query}", {}, body))
    except Unreadable:
        return
    assert all(message.kind for message in reading.messages)


NAMES = [
    *("batch", "data", "type", "event", "payload", "properties", "userId", "distinct_id", "$set", "timestamp", "time"),
    *("requests", "events", "segmentation", "e", "se_ac", "ue_pr", "id", "source", "name", "groups", "$groups", "url"),
    *("identities", "e_a", "idsite", "device_id", "user_details", "key", "offset"),
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inside | st.sampled_from(["track", "page", "identify", "$create_alias", "$groupidentify", "track_signup"]),
            max_size=6,
        )
    ),
    max_leaves=15,
)


@given(ANYTHING, st.sampled_from(sorted(PROTOCOLS)))
def test_no_content_breaks_a_reader(content: Any, name: str) -> None:
    try:
        reading = PROTOCOLS[name].read(Request("POST", "/v1/batch", {}, json.dumps(content).encode()))
    except Unreadable:
        return
    for message in reading.messages:
        assert message.kind in {"track", "page", "screen", "identify", "group", "alias"}
        for text in (message.event, message.user, message.anonymous, message.previous, message.group, message.id):
            assert text is None or (isinstance(text, str) and text)


@pytest.mark.parametrize(
    ("packed", "text"),
    [
        ("Q===", ""),
        ("IZA=", "a"),
        ("N4IghiBcCMC+Q===", '{"a":1}'),
    ],
)
def test_lz_string_is_unpacked(packed: str, text: str) -> None:
    assert from_lz_string(packed, most=100) == text


def test_lz_string_is_stopped_at_the_limit() -> None:
    with pytest.raises(Unreadable, match="passes"):
        from_lz_string("N4IghiBcCMC+Q===", most=3)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-01-02T03:04:05+08:00", "2026-01-02T03:04:05+08:00"),
        (1767323045, "2026-01-02T03:04:05.000Z"),
        ("1767323045", "2026-01-02T03:04:05.000Z"),
        (1767323045.25, "2026-01-02T03:04:05.250Z"),
        (1767323045000, "2026-01-02T03:04:05.000Z"),
        (1767323045000000, "2026-01-02T03:04:05.000Z"),
        (True, None),
        (None, None),
        (10**30, None),
    ],
)
def test_a_number_is_a_time_by_its_size(said: Any, meant: str | None) -> None:
    assert time_of(said) == meant


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("segment", "segment"),
        ("RudderStack", "segment"),
        ("posthog-v1", "posthog"),
        ("SensorsData", "sensors"),
        ("神策", "sensors"),
        ("cloudevents_batch", "cloudevents"),
        ("piwik", "matomo"),
    ],
)
def test_a_protocol_goes_by_its_other_names(called: str, name: str) -> None:
    found = protocol_called(called)
    assert found is not None
    assert found.name == name


def test_every_folder_with_samples_is_in_the_list_and_has_its_readme() -> None:
    room = Path(uptake.connectors.__file__).parent
    folders = {place.parent.name for place in room.glob("*/samples")}
    assert folders == set(PROTOCOLS)
    for name in folders:
        assert (room / name / "README.md").is_file()
        assert list((room / name / "samples").glob("*.json"))


def test_every_connector_stands_in_the_contract_that_keeps_them_apart() -> None:
    project = Path(uptake.connectors.__file__).parents[3] / "pyproject.toml"
    contracts = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    apart = next(contract["modules"] for contract in contracts if contract["name"].startswith("4 "))
    assert {f"uptake.connectors.{name}" for name in PROTOCOLS} <= set(apart)


@pytest.mark.skipif(not FOREIGN.is_dir(), reason="the recordings of clients (../shared/data/wire) are not here")
def test_every_recorded_request_of_a_published_client_is_read() -> None:
    read = 0
    for file in sorted(FOREIGN.glob("*.json")):
        protocol = PROTOCOLS[SPEAKERS[file.stem.split("_")[1]]]
        for sent in json.loads(file.read_text(encoding="utf-8")):
            if sent["method"] != "POST" or not sent["body"]:
                continue
            body = urlencode(sent["body"]["form"], doseq=True) if "form" in sent["body"] else json.dumps(sent["body"])
            reading = protocol.read(Request("POST", sent["path"], sent["headers"], body.encode()))
            assert reading.problems == ()
            if "flags" not in sent["path"]:
                assert reading.key in {"WRITEKEY", "phc_KEY"}, (file.name, sent["path"])
                assert reading.messages, (file.name, sent["path"])
                assert all(message.id and message.time and message.user for message in reading.messages), file.name
            read += len(reading.messages)
    assert read > 200
