"""The form's proposal of who begins when: dealt out so that the answer becomes as sharp as it can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.insight.impact.lot import Drawing, begin_of, enough
from uptake.insight.impact.metrics import Metric
from uptake.web.pages.impact.measures import size_of
from uptake.web.pages.impact.words import HELPS

WAVES = (1, 2, 3, 4, 5, 6)
APART = (7, 14, 21, 28)
USUAL_APART = 14
HALF = 0.5
MEASURED = timedelta(days=55)
"""After the last wave, where no end was typed."""


class NotProposed(Exception):
    """No order is proposed; the text says why."""


class NoOrder(NotProposed):
    """The history is too short, or departments are too few."""


@dataclass(frozen=True)
class Proposed:
    """given: the form with the dates filled in; found: what this order can find; helps: what would sharpen it."""

    given: Mapping[str, Any]
    found: str
    enough: bool
    helps: tuple[str | Promise, ...]


def proposed(request: HttpRequest, place: Organization, departments: list[Organization], smallest: float) -> Proposed:
    """Raises NotProposed; nothing typed is lost."""
    from uptake.insight.impact.answerable import propose_order  # its libraries are loaded where they are needed

    today = settings_at(place).date_of(timezone.now())
    first = _day(request.POST.get("first", "")) or today + timedelta(days=7)
    waves, apart = _one_of(request, "waves", WAVES, 1), _one_of(request, "apart", APART, USUAL_APART)
    latest = first + timedelta(days=(waves - 1) * apart)
    until = _day(request.POST.get("until", "")) or latest + MEASURED
    if first <= today or until <= latest:
        raise NotProposed(_("The first start must lie after today, and the end after the last start."))
    if not 0 < smallest <= 1:
        raise NotProposed(_("Give the size in percentage points, above 0 and up to 100."))
    slugs = [one.slug for one in departments if f"take-{one.slug}" in request.POST]
    metric = Metric(request.POST.get("event", ""))
    order = propose_order(
        slugs, metric=metric, smallest=smallest, first=first, until=until, waves=waves, apart=apart, today=today
    )
    if order is None:
        raise NoOrder(
            _("No order can be proposed: it takes four departments, two for each date, and two weeks of known days.")
        )
    given = request.POST.dict()
    given |= {f"start-{slug}": day.isoformat() if day else "" for slug, day in order.starts.items()}
    given |= {"until": until.isoformat(), "first": first.isoformat(), "chosen": "random"}
    helps = tuple(HELPS[one] for one in order.remedies)
    return Proposed(given, size_of(metric, order.detectable), order.can_answer, helps)


@dataclass(frozen=True)
class Instead:
    """Where departments cannot answer: how many people could be drawn by lot, and what that would find."""

    people: int
    found: str


def people_instead(
    request: HttpRequest, place: Organization, departments: list[Organization], smallest: float
) -> Instead | None:
    """None where people drawn by lot, half of them beginning, could not answer either."""
    from uptake.insight.impact.answerable import answerable_by_people  # its libraries are loaded where they are needed
    from uptake.insight.impact.drawn_people import population

    today = settings_at(place).date_of(timezone.now())
    chosen = [one for one in departments if f"take-{one.slug}" in request.POST]
    people = [one.person for one in population(chosen, "", today)]
    if not enough(Drawing.PERSON, len(people), begin_of(HALF, len(people))):
        return None
    first = _day(request.POST.get("first", "")) or today + timedelta(days=7)
    until = _day(request.POST.get("until", "")) or first + MEASURED
    metric = Metric(request.POST.get("event", ""))
    found = answerable_by_people(
        dict.fromkeys(people, False), place, chosen, metric=metric, smallest=smallest, begin_share=HALF,
        days=(until - first).days + 1, today=today,
    )  # fmt: skip
    if found.state != "yes" or found.detectable is None:
        return None
    return Instead(len(people), size_of(metric, found.detectable))


def context(given: Mapping[str, Any]) -> dict[str, Any]:
    """The choices of the form."""
    return {
        "waves": [(one, str(one) == str(given.get("waves", "1"))) for one in WAVES],
        "aparts": [(one, str(one) == str(given.get("apart", USUAL_APART))) for one in APART],
    }


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise NotProposed(_("The first start must lie after today, and the end after the last start.")) from None


def _one_of(request: HttpRequest, name: str, known: tuple[int, ...], usual: int) -> int:
    text = request.POST.get(name, "")
    return int(text) if text in {str(one) for one in known} else usual
