"""The widget's script is small, stays at its address, is kept by browsers, and may be loaded by any site."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client

from uptake.web.collector.script import WEB, script_of

MADE = WEB / "static" / "vendor" / "widget.js"
ADDRESS = "/widget/v1.js"
MOST = 15 * 1024


@pytest.mark.once
@pytest.mark.skipif(not MADE.exists(), reason="the front-end was not built here")
def test_it_is_at_most_fifteen_kilobytes_compressed() -> None:
    assert len(gzip.compress(MADE.read_bytes(), 9)) <= MOST


@pytest.mark.once
def test_any_site_may_load_it_and_nothing_is_set(client: Client) -> None:
    answer = client.get(ADDRESS)

    assert answer.status_code == 200
    assert answer.content == script_of("widget.js").plain
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "max-age=86400" in answer["Cache-Control"]
    assert not answer.cookies
    assert client.get(ADDRESS, headers={"if-none-match": answer["ETag"]}).status_code == 304


@pytest.mark.once
def test_it_keeps_to_what_a_guest_may_do() -> None:
    """No cookies, no foreign markup, nothing that a strict policy of the host page would stop."""
    text = (WEB / "frontend" / "widget.js").read_text()

    for forbidden in ("document.cookie", "innerHTML", "insertAdjacentHTML", "eval(", 'setAttribute("style"'):
        assert forbidden not in text
    assert 'credentials: "omit"' in text
