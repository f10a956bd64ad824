"""What the widget shows of one person at one company: points, level, entries; place on the board, next best step."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone

from uptake.directory.models import Person
from uptake.directory.place import memberships_of, span_on
from uptake.directory.viewer import Viewer
from uptake.ledger.balances import points_of
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.models import Award
from uptake.programme.next_step import next_step
from uptake.web import numbers
from uptake.web.catalogue import labels_of
from uptake.web.pages.points.beside import level_of, ranking_of
from uptake.web.pages.points.read import Home, home_of, title_of, used_today

ENTRIES: Final = 5
"""Awards listed, the newest first."""


def at_home(person: Person, now: datetime) -> Home | None:
    """Where the person's points live, if they belong to that company today."""
    where = home_of(person, now)
    span = span_on(memberships_of([person.pk]).get(person.pk, []), where.today) if where is not None else None
    return where if where is not None and span is not None and span.company_id == where.company.pk else None


def shown(person: Person, where: Home, *, now: datetime, after: int | None, site: str) -> dict[str, Any]:
    """The whole of it, in the active language. `after`: the number of the last entry the page knows.

    {"points", "pending", "today", "level", "entries", "last", "home"}. Links begin with `site`.
    """
    with timezone.override(where.zone):
        entries = _entries(person, where, after, site)
        books = RulebooksInForce([where.company.pk])
        owner = str(person.pk)
        points = points_of(book=where.company.pk, owners=[owner], now=now)[owner]
        return {
            "points": points.available,
            "pending": points.pending,
            "today": sum(given for given, _ in used_today(where).values()),
            "level": _level(person, where, books, now),
            "entries": entries,
            "last": max((one["id"] for one in entries), default=0),
            "home": site + reverse("points:home"),
        }


def beside(person: Person, where: Home, *, now: datetime) -> dict[str, Any]:
    """What is reckoned only when somebody looks: the place on this month's board, and the deed that pays most now."""
    viewer = Viewer(None, person.pk, person.name, (), where.today, (where.place.path,))
    with timezone.override(where.zone):
        ranking = ranking_of(where, viewer, now)
        mine = ranking.board.mine if ranking is not None else None
        step = next_step(person.pk, where.company, now=now)
        return {
            "rank": {"rank": mine.rank, "of": ranking.board.people} if ranking is not None and mine else None,
            "next": {"text": labels_of([step.event]).event(step.event), "points": step.points} if step else None,
        }


def _level(person: Person, where: Home, books: RulebooksInForce, now: datetime) -> dict[str, Any] | None:
    level = level_of(person, where, books, now)
    if level is None:
        return None
    return {
        "name": level.name or "",
        "number": level.number,
        "done": level.done,
        "whole": level.whole,
        "missing": level.missing if level.next_name else 0,
        "next": level.next_name or "",
    }


def _entries(person: Person, where: Home, after: int | None, site: str) -> list[dict[str, Any]]:
    """The newest awards that gave points: what was done, what about, and where it is said why."""
    rows = Award.objects.filter(person=person, company=where.company, points__gt=0).select_related("event", "rulebook")
    found = list(rows.order_by("-pk")[:ENTRIES])
    labels = labels_of({one.event.name for one in found})
    return [
        {
            "id": one.pk,
            "points": one.points,
            "title": labels.event(one.event.name),
            "sub": _sub(one),
            "href": f"{site}{reverse('points:home')}#award-{one.pk}",
            "new": after is not None and one.pk > after,
        }
        for one in found
    ]


def _sub(one: Award) -> str:
    """When, and what about; the rule where it was about nothing."""
    at = timezone.localtime(one.event.happened_at)
    when = numbers.clock(at) if at.date() == timezone.localdate() else numbers.day(at.date(), year=False)
    about = one.event.object or title_of(one.rulebook_id, one.rulebook.sha256, one.rule, one.version)
    return f"{when} · {about}"
