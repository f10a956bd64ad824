"""No template carries style or script of its own: the content policy would block it, and a page would break unseen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "src" / "uptake" / "web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
FORBIDDEN = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.I),
    "a style element": re.compile(r"<style\b", re.I),
    "a script with text": re.compile(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))[^>]*>", re.I),
    "an event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I),
    "htmx with script": re.compile(r"hx-on|hx-vals=['\"]js:|hx-headers=['\"]js:|hx-trigger=\"[^\"]*\[", re.I),
    "something from another host": re.compile(r"(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.I),
    "a javascript address": re.compile(r"javascript:", re.I),
}


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(WEB / "templates")))
def test_a_template_leaves_style_and_script_to_the_static_files(file: Path) -> None:
    text = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "…", file.read_text(encoding="utf-8"))

    for what, pattern in FORBIDDEN.items():
        found = pattern.search(text)
        assert found is None, f"{what}: {found.group(0)[:80]}" if found else ""


def test_every_icon_is_in_the_sprite() -> None:
    listed = set((WEB / "frontend" / "icons.txt").read_text().split())
    used = re.compile(r"{%\s*icon\s+\"([^\"]+)\"|\bicon=\"([a-z0-9-]+)\"")

    for file in TEMPLATES:
        for direct, passed in used.findall(file.read_text(encoding="utf-8")):
            assert (direct or passed) in listed, f"{file.name} uses {direct or passed}: add it to frontend/icons.txt"


def test_the_icons_are_listed_once_and_in_order() -> None:
    names = (WEB / "frontend" / "icons.txt").read_text().split()

    assert names == sorted(set(names))
