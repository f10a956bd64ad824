"""A first visit loads at most 150 KB of compressed files without charts, 450 KB with them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[1] / "static"
EVERY_PAGE = (
    "vendor/htmx.js",
    "vendor/tabler.css",
    "vendor/icons.svg",
    "vendor/inter.woff2",
    "app/uptake.css",
    "app/uptake.js",
    "app/mark.svg",
)
CHARTS = ("vendor/charts.js",)

pytestmark = pytest.mark.skipif(
    not (STATIC / "vendor" / "charts.js").exists(), reason="the front-end is not built: make setup"
)


def compressed(*names: str) -> int:
    """Bytes on the wire; fonts are compressed already."""
    return sum(
        len(body) if name.endswith("woff2") else len(gzip.compress(body, 6))
        for name in names
        for body in [(STATIC / name).read_bytes()]
    )


def test_the_first_load_stays_within_its_budget() -> None:
    plain = compressed(*EVERY_PAGE)

    assert plain <= 150_000
    assert plain + compressed(*CHARTS) <= 450_000


def test_nothing_of_ours_or_of_others_needs_eval() -> None:
    ours = (STATIC / "app" / "uptake.js").read_text()

    assert "eval(" not in ours
    assert "new Function" not in ours
    assert "innerHTML" not in ours


def test_the_lock_file_names_no_registry() -> None:
    lock = (STATIC.parent / "frontend" / "package-lock.json").read_text()

    assert '"resolved"' not in lock
    assert '"integrity"' in lock
