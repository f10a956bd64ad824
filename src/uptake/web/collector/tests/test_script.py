"""The collector's script is small, stays at its address, is kept by browsers, and may be loaded by any site."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client

from uptake.web.collector.script import MADE, the_script

ADDRESS = "/collector/v1.js"


@pytest.mark.skipif(not MADE.exists(), reason="the front-end was not built here")
def test_it_is_at_most_three_kilobytes_compressed() -> None:
    assert len(gzip.compress(MADE.read_bytes(), 9)) <= 3 * 1024


def test_any_site_may_load_it_and_browsers_keep_it(client: Client) -> None:
    answer = client.get(ADDRESS)

    assert answer.status_code == 200
    assert answer.content == the_script().plain
    assert answer["Content-Type"].startswith("text/javascript")
    assert "public" in answer["Cache-Control"]
    assert "max-age=86400" in answer["Cache-Control"]
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Accept-Encoding" in answer["Vary"]
    assert not answer.cookies


def test_it_comes_packed_to_who_unpacks(client: Client) -> None:
    answer = client.get(ADDRESS, headers={"accept-encoding": "gzip, br"})

    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content) == the_script().plain


def test_who_has_it_already_is_told_so(client: Client) -> None:
    etag = client.get(ADDRESS)["ETag"]

    again = client.get(ADDRESS, headers={"if-none-match": etag})

    assert again.status_code == 304
    assert again["Cross-Origin-Resource-Policy"] == "cross-origin"
