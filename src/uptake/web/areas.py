"""The one list of areas: each is a folder under pages/ (or api/) that brings its own urls.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """A folder of pages and the prefix of its addresses."""

    prefix: str
    urls: str


AREAS: tuple[Area, ...] = (
    Area("", "uptake.web.pages.home.urls"),
    Area("account/", "uptake.web.pages.account.urls"),
)
