"""What a page of analysis consists of: its question, made from the address, and how the answer is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise

from uptake.directory.scope import Viewer
from uptake.insight.metrics.period import USUAL
from uptake.web.pages.explore.bar import Bar
from uptake.web.sheets import Cell

Text = str | Promise


@dataclass(frozen=True)
class Column:
    """A head of the table under the picture."""

    head: str
    numeric: bool = True


@dataclass(frozen=True)
class Entry:
    """One cell of the table: the written value, the plain one for the export, and who is behind it."""

    text: str
    value: Cell = None
    href: str = ""
    """Opens the people behind the number, or a place; empty: no door."""
    open: bool = False
    """Belongs to a period that is not over."""
    word: bool = False
    """A word, not a number: it begins at the left."""


@dataclass(frozen=True)
class Shown:
    """What a page shows of an answer."""

    words: str
    """The question as a sentence."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What the kind's own template needs, there as `shown.context.<name>`: charts, bars, a triangle."""
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[Entry]] = ()
    verdict: str = ""
    """What the answer says, in a sentence."""
    notes: Sequence[str] = ()
    """What has to be known to read it: unfinished periods, hidden groups."""
    empty: bool = False
    """Nothing happened that the question counts."""


@dataclass(frozen=True)
class Sheet:
    """A table to take along, where it is another than the one under the picture."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Kind:
    """One analysis with a page of its own. Templates: explore/<name>.html, explore/fields/<name>.html."""

    name: str
    """In the address, and of the templates."""
    title: Text
    lead: Text
    definition: Text
    """What exactly is counted; stands behind the i."""
    icon: str
    question: Callable[[Bar], dict[str, Any] | None]
    """The question of the address; None: something has to be chosen first."""
    show: Callable[[Bar, Mapping[str, Any], Mapping[str, Any]], Shown]
    """(state, question, answer) → what is shown. Counts that are hidden from the viewer are None."""
    fields: Callable[[Bar], Mapping[str, Any]] = lambda bar: {}
    """What the kind's own form fields need, there as `own.<name>`."""
    intervals: Sequence[str] = ("day", "week", "month")
    usual: str = "day"
    days: int = USUAL
    """The length of the period where none is chosen: 7, 30 or 90."""
    names_people: bool = False
    """Whether every answer tells of single people: not offered to those who see totals only."""
    breakdown: bool = True
    """Whether the answer can be broken down (`by`)."""
    comparison: bool = True
    beside: bool = False
    """Whether the answer may stand beside the park's median; the kind reads it from `beside.beside`."""
    sheet: Callable[[Bar, Mapping[str, Any], Mapping[str, Any]], Sheet] | None = None
    """(state, question, answer) → what the export holds; None: the table under the picture."""
    answered: Callable[[Bar, Viewer, Mapping[str, Any]], dict[str, Any]] | None = None
    """Answers the question for a viewer, where the engine's analyses do not; None: `told`."""
    opened: Callable[[Bar], dict[str, Any] | None] | None = None
    """The question behind a number, where the page shows numbers of several; None: `question`."""
    cleaned: Callable[[HttpRequest], str | None] = lambda request: None
    """The address with what the fields say put in order; None: it is in order."""


def behind(bar: Bar, kind: str, of: str = "", **number: Any) -> str:
    """The address of the people behind one number of this page's answer; empty where the viewer may not see people.

    `of` names the question whose number it is, where the page asks several (see `Kind.opened`).
    """
    from uptake.directory.scope import Deed
    from uptake.web.viewing import viewer_for

    if not viewer_for(bar.request).may(Deed.SEE_PEOPLE, bar.place):
        return ""
    query = bar.address(of=of)
    sign = "&" if len(query) > 1 else ""
    said = quote(json.dumps(number, ensure_ascii=False, separators=(",", ":")))
    return f"{reverse('explore:people', args=[kind])}{query}{sign}number={said}"
