"""What every question is narrowed to, from the address of the page: place, period, interval, filters, breakdown.

The whole state stands in the address, so that it can be bookmarked, shared and stepped back from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.activity import ActivityLog
from uptake.activity.question import OPERATORS, QuestionRefused, read_conditions
from uptake.activity.summaries.top import top
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed
from uptake.events.models import Connection, EventType
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.belonging import narrowing
from uptake.insight.metrics.peers import park_of
from uptake.insight.metrics.period import USUAL
from uptake.insight.metrics.usage import reach
from uptake.insight.models import Segment, SegmentQuerySet
from uptake.web import numbers
from uptake.web.usage import Chosen, chosen_period, labels_of
from uptake.web.viewing import place_for, viewer_for

MOST_NAMES = 300
MOST_CONDITIONS = 8
SHARED = ("at", "days", "from", "to", "compare", "every", "source", "where", "by", "segment")
"""Parameters that go along from one page to the next."""


@dataclass(frozen=True)
class Said:
    """A condition as a chip."""

    label: str
    value: str
    without: str


@dataclass(frozen=True)
class Bar:
    """The state that all pages of questions share. Empty texts and tuples narrow nothing."""

    request: HttpRequest
    place: Organization
    chosen: Chosen
    every: str
    source: str
    where: tuple[Mapping[str, Any], ...]
    by: str
    errors: tuple[str, ...] = ()
    segment: Segment | None = None

    def question(self, analysis: str, **own: Any) -> dict[str, Any]:
        """The question of this state; `own` are the keys of the analysis (None: left out)."""
        period = self.chosen.period
        asked: dict[str, Any] = {
            "analysis": analysis,
            "timezone": settings_at(self.place).at(timezone.now()).zone,
            "from": period.first.isoformat(),
            "to": period.shown_last.isoformat(),
            "interval": self.every,
            "scope": [self.place.pk],
            "filters": list(self.where) or None,
            "sources": [self.source] if self.source else None,
            "by": self.by or None,
            "compare": self.compared() if self.chosen.compare else None,
            **(narrowing(self.segment) if self.segment else {}),
        }
        asked.update(own)
        return {key: value for key, value in asked.items() if value is not None}

    def compared(self) -> dict[str, str]:
        """The period before; by days it lies whole weeks before, so that weekdays stand beside their like."""
        period = self.chosen.period
        days = (period.shown_last - period.first).days + 1
        gap = timedelta(days=-(-days // 7) * 7 if self.every == "day" else days)
        return {"from": (period.first - gap).isoformat(), "to": (period.shown_last - gap).isoformat()}

    @cached_property
    def log(self) -> ActivityLog:
        return activity_log()

    @cached_property
    def park(self) -> Organization | None:
        """The park of the place, with whose companies it may be compared."""
        return park_of(self.place)

    @cached_property
    def names(self) -> list[tuple[str, str]]:
        """(name, label) of the events that happened at the place, the most frequent first: what one may choose."""
        return self._top("event")

    @cached_property
    def sources(self) -> list[tuple[str, str]]:
        """(slug, name) of the sources whose events happened at the place."""
        slugs = [slug for slug, _label in self._top("source")]
        names = dict(Connection.objects.filter(slug__in=slugs).values_list("slug", "name"))
        return sorted(((slug, names.get(slug, slug)) for slug in slugs), key=lambda one: one[1])

    @cached_property
    def segments(self) -> list[Segment]:
        """The segments the viewer may narrow a question of this place to."""
        return list(segments_at(self.request, self.place))

    @cached_property
    def properties(self) -> list[tuple[str, str]]:
        """(name, label) of the declared properties of these events."""
        chinese = numbers.chinese()
        found: dict[str, str] = {}
        here = [name for name, _label in self.names]
        for declared in EventType.objects.filter(name__in=here).values_list("properties", flat=True):
            for name, one in declared.items():
                label = one.get("label_zh" if chinese else "label_en") or one.get("label_en") or name
                found.setdefault(name, str(label))
        return sorted(found.items(), key=lambda one: one[1].casefold())

    @property
    def conditions(self) -> list[Said]:
        """The conditions as chips: in words, as in the address, and the address without it."""
        labels = dict(self.properties)
        kept = [text for text in self.request.GET.getlist("where") if condition_of(text) is not None][:MOST_CONDITIONS]
        return [
            Said(
                said(labels.get(condition["property"], condition["property"]), condition),
                text,
                self.address(where=[other for other in kept if other != text]),
            )
            for text in kept
            if (condition := condition_of(text)) is not None
        ]

    def _top(self, of: str) -> list[tuple[str, str]]:
        period = self.chosen.period
        first = min(period.first, period.before[0])
        rows = top(self.log, of=of, first=first, last=period.shown_last, limit=MOST_NAMES, **reach(self.place)).rows
        names = [row.name for row in rows]
        labels = labels_of(names) if of == "event" else {name: name for name in names}
        return [(name, labels[name]) for name in names]

    def address(self, **changed: str | Sequence[str]) -> str:
        """This page's address with some parameters changed (empty: taken out)."""
        query = self.request.GET.copy()
        query.pop("page", None)
        for name, value in changed.items():
            query.pop(name, None)
            if isinstance(value, str):
                if value:
                    query[name] = value
            else:
                query.setlist(name, list(value))
        return "?" + query.urlencode()

    def shared(self) -> str:
        """The parameters another page of questions takes over, as the end of an address."""
        kept = QueryDict(mutable=True)
        for name in SHARED:
            for value in self.request.GET.getlist(name):
                if value:
                    kept.appendlist(name, value)
        return "?" + kept.urlencode() if kept else ""

    def with_error(self, text: str) -> Bar:
        return replace(self, errors=(*self.errors, text))


def bar_of(
    request: HttpRequest, *, intervals: Sequence[str] = ("day", "week", "month"), usual: str = "day", days: int = USUAL
) -> Bar:
    """The state of the address, with the usual interval and the last `days` where it names none. What cannot be read
    is left out, and said."""
    place = place_for(request, Deed.SEE_TOTALS)
    chosen = chosen_period(request, place, days)
    errors = [chosen.error] if chosen.error else []
    every = request.GET.get("every", "")
    if every and every not in intervals:
        errors.append(_("Counting by “%(name)s” is not possible here.") % {"name": every[:20]})
    where: list[Mapping[str, Any]] = []
    for text in request.GET.getlist("where")[:MOST_CONDITIONS]:
        condition = condition_of(text)
        if condition is None:
            errors.append(_("The condition “%(text)s” is not understood and was left out.") % {"text": text[:60]})
        else:
            where.append(condition)
    wanted = request.GET.get("segment", "")
    number = int(wanted) if wanted.isdecimal() and len(wanted) < 18 else 0
    segment = segments_at(request, place).filter(pk=number).first() if number else None
    if wanted and segment is None:
        errors.append(_("There is no such segment for you here; the answer is of everybody."))
    return Bar(
        request=request,
        place=place,
        chosen=chosen,
        every=every if every in intervals else usual,
        source=request.GET.get("source", "").strip()[:255],
        where=tuple(where),
        by=request.GET.get("by", "").strip()[:255],
        errors=tuple(errors),
        segment=segment,
    )


def segments_at(request: HttpRequest, place: Organization) -> SegmentQuerySet:
    """Those the viewer may use for questions of the place, by name."""
    return Segment.objects.visible_to(viewer_for(request)).usable_at(place).order_by("name", "pk")


def added(request: HttpRequest) -> str | None:
    """The address with the condition of the small form (p_name, p_op, p_value) put among the others; None: no such."""
    if "p_name" not in request.GET:
        return None
    query = request.GET.copy()
    name, op, value = (query.get(part, "").strip()[:255] for part in ("p_name", "p_op", "p_value"))
    for part in ("p_name", "p_op", "p_value"):
        query.pop(part, None)
    if name and ":" not in name:
        query.appendlist(
            "where", f"{name}:{op or 'eq'}:{value}".removesuffix(":") if op[:3] == "is_" else f"{name}:{op}:{value}"
        )
    return "?" + query.urlencode()


def said(label: str, condition: Mapping[str, Any]) -> str:
    """A condition in words: Amount > 10."""
    value = condition.get("value")
    shown = " / ".join(str(one) for one in value) if isinstance(value, list) else str(value)
    words = {
        "eq": _("%(name)s is %(value)s"),
        "ne": _("%(name)s is not %(value)s"),
        "contains": _("%(name)s contains %(value)s"),
        "not_contains": _("%(name)s does not contain %(value)s"),
        "is_set": _("%(name)s is there"),
        "is_not_set": _("%(name)s is not there"),
        "gt": "%(name)s > %(value)s",
        "gte": "%(name)s ≥ %(value)s",
        "lt": "%(name)s < %(value)s",
        "lte": "%(name)s ≤ %(value)s",
    }
    return words[condition["op"]] % {"name": label, "value": shown}


def condition_of(text: str) -> dict[str, Any] | None:
    """property:op:value as a condition of a question; several values of eq and ne are separated by |."""
    name, _colon, rest = text.partition(":")
    op, _colon, value = rest.partition(":")
    if op not in OPERATORS or not name:
        return None
    condition: dict[str, Any] = {"property": name, "op": op}
    if op not in ("is_set", "is_not_set"):
        several = [part for part in value.split("|") if part] if op in ("eq", "ne") else [value]
        if not several or not several[0]:
            return None
        condition["value"] = several if len(several) > 1 else several[0]
    try:
        read_conditions([condition], "where")
    except QuestionRefused:
        return None
    return condition
