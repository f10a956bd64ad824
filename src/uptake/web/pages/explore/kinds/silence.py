"""Silent people: who stopped, by the own rhythm, what they did last, and whom to call first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from uptake.directory.models import Kind as PlaceKind
from uptake.directory.models import Organization
from uptake.directory.scope import Deed, Viewer
from uptake.insight.metrics.coverage import Alive, Covered, told_at
from uptake.insight.metrics.silent import REGULAR, Silent, call_list, leavers
from uptake.insight.metrics.states import Measure, calendar_of, measure_at, rhythms_of
from uptake.insight.metrics.told import told
from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds.kind import Kind, Sheet, Shown, behind
from uptake.web.remembered import remembered
from uptake.web.usage import COVERED_SECONDS, covered_at, labels_of, no_data, untold_at
from uptake.web.viewing import viewer_for

NAME = "silence"
FIXED = (14, 21, 30, 60, 90)
A_PAGE = 25
TAILS = 6
PLACES = 8
LEAST_PEOPLE = 5
NOBODY = [-1]
"""No code of anybody."""
CALENDAR_DAYS = 800
ORDERS: Mapping[str, Any] = {
    "name": lambda one: one.name,
    "company": lambda one: (one.company, one.department),
    "silent": lambda one: -one.last_day.toordinal(),
    "used": lambda one: one.used,
}


@dataclass(frozen=True)
class Meter:
    """Whether the data is there: how many companies of those with a source, and the sources that say nothing."""

    told: int
    companies: int
    down: Sequence[Covered]
    left_out: bool
    """Whether the people of the companies without data are left out."""
    other: str
    """The address that turns this."""
    may_open: bool

    @property
    def whole(self) -> bool:
        return self.told == self.companies


def question(bar: Bar) -> dict[str, Any]:
    """Everybody's whole history as of today, without those who left and without places from which no data comes."""
    days = _fixed(bar)
    measure = _measure(bar)
    covered = _covered(bar)
    told = told_at(covered, [bar.source] if bar.source else ())
    named = {one.company.pk for one in covered}
    scope = [bar.place.pk]
    if named - told and not _all(bar):
        scope = sorted(_companies(bar) - (named - told)) if bar.place.kind == PlaceKind.PARK else []
    own: dict[str, Any] = {"from": None, "to": None, "interval": None, "compare": None}
    if not scope:  # no data comes from anywhere: nobody is asked about
        own["only_persons"] = NOBODY
    return bar.question(
        "silence",
        **own,
        scope=scope or [bar.place.pk],
        as_of=measure.today.isoformat(),
        silent_days=days or None,
        calendar=calendar_of(measure),
        not_persons=leavers(bar.place, measure.today) or None,
        by="company" if bar.place.kind == PlaceKind.PARK else None,
        limit=1000,
    )


def _fixed(bar: Bar) -> int:
    said = bar.request.GET.get("silent", "")
    return int(said) if said in map(str, FIXED) else 0


def _all(bar: Bar) -> bool:
    return bar.request.GET.get("untold") == "1"


def _measure(bar: Bar) -> Measure:
    today = bar.chosen.period.today
    return remembered((bar.place.path,), ("measure", today), lambda: measure_at(bar.place, today, CALENDAR_DAYS))


def _covered(bar: Bar) -> list[Covered]:
    return covered_at(bar.log, bar.place, bar.chosen.period.today)


def _companies(bar: Bar) -> set[int]:
    below = Organization.objects.filter(path__startswith=bar.place.path, kind=PlaceKind.COMPANY)
    return set(below.values_list("pk", flat=True))


def answered(bar: Bar, viewer: Viewer, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the engine, which changes by the day: kept a while for who may see as much."""
    key = ("silence", json.dumps(asked, sort_keys=True))
    return remembered(_rights(viewer), key, lambda: told(bar.log, viewer, asked), seconds=COVERED_SECONDS)


def _rights(viewer: Viewer) -> tuple[str, ...]:
    return (*viewer.paths(Deed.SEE_TOTALS), "", *viewer.paths(Deed.SEE_PEOPLE))


def _listed(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Silent]:
    key = ("call list", bar.place.path, bar.source, json.dumps(asked, sort_keys=True))
    rights = _rights(viewer_for(bar.request))
    return remembered(rights, key, lambda: _read(bar, answer), seconds=COVERED_SECONDS)


def _read(bar: Bar, answer: Mapping[str, Any]) -> list[Silent]:
    measure = _measure(bar)
    rhythms = rhythms_of(bar.log, bar.place, measure, [bar.source] if bar.source else None)
    return call_list(viewer_for(bar.request), bar.place, answer, measure, rhythms)


def _narrowed(bar: Bar, listed: list[Silent]) -> list[Silent]:
    """As the list's own fields say: company, words, order."""
    company = bar.request.GET.get("company", "")
    wanted = bar.request.GET.get("q", "").strip().casefold()[:100]
    found = [
        one
        for one in listed
        if (not company or str(one.company_id) == company)
        and (not wanted or wanted in one.name.casefold() or wanted in one.staff_number.casefold())
    ]
    order = bar.request.GET.get("sort", "")
    key = ORDERS.get(order.removeprefix("-"))
    if key is None:
        return found
    return sorted(sorted(found, key=ORDERS["name"]), key=key, reverse=order.startswith("-"))


def show(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Shown:
    """The verdict, last actions by lift, tails, companies, and the list to call."""
    listed = _listed(bar, asked, answer)
    narrowed = _narrowed(bar, listed)
    page = Paginator(narrowed, A_PAGE).get_page(bar.request.GET.get("page"))
    tails = answer["tails"][:TAILS]
    shown_names = {name for tail, _n in tails for name in tail} | {row["event"] for row in answer["lift"]}
    labels = labels_of(sorted(shown_names | {name for one in page.object_list for name in one.tail}))
    silent, people = answer["silent_people"], answer["people"]
    unclaimed = sum(int(name) < 0 for name in answer["silent"])
    notes = [
        ngettext(
            "%(n)s silent account belongs to nobody yet; map it to a person to call.",
            "%(n)s silent accounts belong to nobody yet; map them to people to call.",
            unclaimed,
        )
        % {"n": unclaimed}
    ]
    meter = _meter(bar)
    untold = asked.get("only_persons") == NOBODY
    return Shown(
        words=_words(bar),
        verdict=_untold(bar) if untold else _verdict(listed, answer, labels),
        context={
            "people": people,
            "silent": silent,
            "lasts": [
                {
                    "label": labels[row["event"]],
                    "people": row["silent"],
                    "rate": row["rate"],
                    "did": row["did"],
                    "lift": _times(row["lift"]),
                    "high": row["lift"] >= 2,
                    "href": behind(bar, NAME, last=row["event"]),
                }
                for row in answer["lift"]
            ],
            "most": max((row["silent"] for row in answer["lift"]), default=1),
            "tails": [([labels[name] for name in tail], times, behind(bar, NAME, tail=tail)) for tail, times in tails],
            "places": _places(bar, answer),
            "page": page,
            "rows": [(one, [labels[name] for name in one.tail]) for one in page.object_list],
            "count": len(narrowed),
            "all": len(listed),
            "companies": _choices(listed),
            "meter": meter,
            "untold": untold,
            "regular": REGULAR,
        },
        notes=notes if unclaimed else [],
        empty=not people and not untold,
    )


def sheet(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Sheet:
    """The list to call, as narrowed and sorted on the page."""
    narrowed = _narrowed(bar, _listed(bar, asked, answer))
    labels = labels_of(sorted({name for one in narrowed for name in one.tail}))
    heads = [
        _("Name"), _("Staff number"), _("Company"), _("Department"), _("Silent for (working days)"), _("Last active"),
        _("Used to (days a week)"), _("Last actions"),
    ]  # fmt: skip
    return Sheet(
        heads,
        [
            [
                one.name, one.staff_number, one.company, one.department, one.working_days, one.last_day,
                round(one.used, 1), " → ".join(labels[name] for name in one.tail),
            ]
            for one in narrowed
        ],
    )  # fmt: skip


def _words(bar: Bar) -> str:
    place, days = bar.place.name, _fixed(bar)
    if days:
        return _("Who at %(place)s has done nothing for more than %(days)s days, and what did they do last?") % {
            "place": place,
            "days": days,
        }
    return _("Who at %(place)s has fallen silent by their own rhythm, and what did they do last?") % {"place": place}


def _untold(bar: Bar) -> str:
    """That nobody can be called silent here."""
    return _("Nobody is called silent here: %(no_data)s.") % {
        "no_data": no_data(
            min(filter(None, untold_at(bar.log, bar.place, bar.chosen.period.today).values()), default=None)
        )
    }


def _verdict(listed: Sequence[Silent], answer: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    silent, people = answer["silent_people"], answer["people"]
    if not silent:
        return _("Nobody is silent. All %(people)s people who ever began are active.") % {
            "people": numbers.full(people)
        }
    parts = [
        _("%(silent)s of the %(people)s people who ever began are silent (%(share)s).")
        % {"silent": numbers.full(silent), "people": numbers.full(people), "share": numbers.share(silent / people)}
    ]
    regular = sum(one.regular for one in listed)
    if regular:
        parts.append(
            ngettext(
                "%(n)s of them used to come on two or more days a week.",
                "%(n)s of them used to come on two or more days a week.",
                regular,
            )
            % {"n": numbers.full(regular)}
        )
    worst = next(iter(answer["lift"]), None)
    if worst is not None and worst["lift"] >= 1.5:
        parts.append(
            _("“%(event)s” is the last action before silence %(lift)s times as often as it is the last of any session.")
            % {"event": labels[worst["event"]], "lift": _times(worst["lift"])}
        )
    return numbers.sentences(parts)


def _times(lift: float) -> str:
    return numbers.full(lift, 1 if lift < 20 else 0)


def _places(bar: Bar, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Companies by the share of silent people, those with fewer than 5 people left out."""
    told_of = [
        (-one["share"], key, one)
        for key, one in answer.get("by_value", {}).items()
        if key.isdecimal() and one["people"] >= LEAST_PEOPLE and one["silent_people"]
    ]
    most = sorted(told_of, key=lambda one: one[:2])[:PLACES]
    known = Organization.objects.in_bulk([int(key) for _share, key, _one in most])
    return [
        {
            "name": known[int(key)].name,
            "people": one["people"],
            "silent": one["silent_people"],
            "share": one["share"],
            "href": behind(bar, NAME, value=key),
            "address": reverse("explore:page", args=[NAME]) + bar.address(at=known[int(key)].slug),
        }
        for _share, key, one in most
        if int(key) in known
    ]


def _choices(listed: Sequence[Silent]) -> list[tuple[int, str, int]]:
    """(id, name, silent people) of the companies in the list."""
    counts = Counter((one.company, one.company_id) for one in listed if one.company_id)
    return [(key, name, n) for (name, key), n in sorted(counts.items())]


def _meter(bar: Bar) -> Meter:
    covered = _covered(bar)
    told = told_at(covered, [bar.source] if bar.source else ())
    named = {one.company.pk for one in covered}
    down = [one for one in covered if one.state == Alive.DOWN and one.company.pk not in told]
    may_open = viewer_for(bar.request).may(Deed.MANAGE_DATA, bar.place)
    other = bar.address(untold="" if _all(bar) else "1")
    return Meter(len(told & named), len(named), down, not _all(bar), other, may_open)


KIND = Kind(
    name=NAME,
    title=gettext_lazy("Silent people"),
    lead=gettext_lazy("Who fell silent, after what, and whom to call."),
    definition=gettext_lazy(
        "Silent is who has done nothing for more than 10 working days and more than 3 times the own usual gap between "
        "active days. Who left is not counted, nor who belongs to a company from which no data comes. Lift: how many "
        "times as often an action is the last before silence as it is the last of any session; told from 5 people on."
    ),
    icon="user-question",
    question=question,
    show=show,
    sheet=sheet,
    answered=answered,
    fields=lambda bar: {"days": FIXED, "silent": _fixed(bar), "untold": _all(bar)},
    intervals=("day",),
    breakdown=False,
    comparison=False,
    names_people=True,
)
