"""Lifecycle: who is new, who stays, who comes back and who falls silent, of people or of companies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.directory.models import Kind as Level
from uptake.directory.scope import HIDE_BELOW, Deed
from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds.beside import beside
from uptake.web.pages.explore.kinds.kind import Column, Entry, Kind, Shown, behind
from uptake.web.pages.explore.kinds.trends import bar_names
from uptake.web.pages.explore.kinds.words import (
    INTERVALS,
    STARTS,
    as_of,
    event_label,
    event_of,
    few,
    hidden_note,
    one_of,
)
from uptake.web.parts import Chart, Series
from uptake.web.viewing import viewer_for

NAME = "lifecycle"
STATES = ("new", "returning", "resurrecting", "dormant")
TONES = {"new": "c3", "returning": "c1", "resurrecting": "c4", "dormant": "c2"}
MOST_NAMES = 6
MOST_COMPANIES = 1000


def question(bar: Bar) -> dict[str, Any]:
    """The states of people by a chosen event (none chosen: any); or of companies, each of them named."""
    own: dict[str, Any] = {"count_by": "company", "by": "company", "limit": MOST_COMPANIES} if of_companies(bar) else {}
    event = event_of(bar)
    return bar.question(
        "lifecycle", event_sel={"event": event or None}, as_of=as_of(), **{"by": None, "compare": None, **own}
    )


def of_companies(bar: Bar) -> bool:
    """Whether companies are counted instead of people."""
    return may_count_companies(bar) and one_of(bar, "who", ("people", "companies")) == "companies"


def may_count_companies(bar: Bar) -> bool:
    """A place with companies, and a viewer who may see who did what there."""
    return bar.place.kind == Level.PARK and viewer_for(bar.request).may(Deed.SEE_PEOPLE, bar.place)


def show(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Shown:
    """Bars upon each other, the dormant below the axis; the table opens the people of each state."""
    starts = [date.fromisoformat(start[:10]) for start in answer["starts"]]
    unfinished = [place for place, open_ in enumerate(answer["unfinished"]) if open_] if starts else []
    companies = "by_value" in answer
    names = bar_names(bar) if companies else {}
    park = None if companies else beside(bar, asked)
    middle = park.row("dormant", answer["dormant"]) if park else []
    gone = _gone(answer)
    rows = []
    for place, start in enumerate(starts):
        row = [Entry(numbers.day(start), start, open=place in unfinished)]
        for state in STATES:
            count = answer[state][place]
            if companies:
                who = [] if state == "returning" else _who(answer["by_value"], names, state, place)
                row.append(Entry(" · ".join([numbers.full(count), *([_several(who)] if who else [])]), count))
            else:
                href = behind(bar, NAME, start=answer["starts"][place], state=state) if count else ""
                row.append(Entry(few(count, answer, state, place), count, href))
        if not companies:
            row.append(Entry(numbers.share(gone[place]), gone[place]))
        if park:
            row.append(Entry(numbers.share(middle[place]), middle[place]))
        rows.append(row)
    heads = [*map(str, STATE_NAMES.values()), *([] if companies else [_("Fallen silent, of those active before")])]
    return Shown(
        words=_words(bar, asked, companies),
        context={
            "chart": Chart(
                id="lifecycle", label=_("New, staying, come back and fallen silent"), height="high",
                axis=str(STARTS[bar.every]),
                labels=[numbers.day(start, year=False) for start in starts],
                series=[
                    Series(str(STATE_NAMES[state]), answer[state], "stack", TONES[state], open=unfinished,
                           below=state == "dormant")
                    for state in ("returning", "resurrecting", "new", "dormant")
                ],
            ),
        },
        columns=[
            Column(str(STARTS[bar.every]), numeric=False), *map(Column, heads),
            *([Column(_("Median of the park"))] if park else []),
        ],
        rows=rows,
        verdict=numbers.sentences(
            [_verdict(bar, starts, answer, unfinished, companies), *_compared(gone, middle, unfinished)]
        ),
        notes=[*([str(NOT_OVER)] if unfinished else []), *hidden_note(answer), *([park.note] if park else [])],
        empty=not any(count != 0 for state in STATES for count in answer[state]),
    )  # fmt: skip


def _who(values: Mapping[str, Any], names: Mapping[int, str], state: str, place: int) -> list[str]:
    """The names of the companies in a state."""
    return sorted(
        names.get(int(value), _("(none)")) for value, one in values.items() if value.isdecimal() and one[state][place]
    )


def _several(names: Sequence[str]) -> str:
    rest = len(names) - MOST_NAMES
    more = [_("%(n)s more") % {"n": rest}] if rest > 0 else []
    return ", ".join([*names[:MOST_NAMES], *more])


def _words(bar: Bar, asked: Mapping[str, Any], companies: bool) -> str:
    named = {
        "place": bar.place.name,
        "every": INTERVALS[bar.every],
        "what": event_label(asked["event_sel"]["event"] or ""),
    }
    if companies:
        return (
            _("Which companies at %(place)s are new, stay, come back or fall silent per %(every)s, by %(what)s?")
            % named
        )
    return _("Who at %(place)s is new, stays, comes back or falls silent per %(every)s, by %(what)s?") % named


def _verdict(
    bar: Bar, starts: Sequence[date], answer: Mapping[str, Any], unfinished: Sequence[int], companies: bool
) -> str:
    """The last interval that is over, in a sentence."""
    over = [place for place in range(len(starts)) if place not in unfinished]
    if not over:
        return ""
    last = over[-1]
    told = {state: few(answer[state][last], answer, state, last) for state in STATES} | {
        "day": numbers.day(starts[last], year=False),
        "every": INTERVALS[bar.every],
    }
    if companies:
        return (
            _(
                "Companies in the %(every)s from %(day)s: %(new)s new, %(returning)s stayed, %(resurrecting)s "
                "came back, %(dormant)s fell silent."
            )
            % told
        )
    return (
        _(
            "People in the %(every)s from %(day)s: %(new)s new, %(returning)s stayed, %(resurrecting)s came back, "
            "%(dormant)s fell silent."
        )
        % told
    )


def _gone(answer: Mapping[str, Any]) -> list[float | None]:
    """Of those active in the interval before, the share that fell silent; None: of fewer than five, or hidden."""
    return [
        None if gone is None or kept is None or gone + kept < HIDE_BELOW else gone / (gone + kept)
        for gone, kept in zip(answer["dormant"], answer["returning"], strict=True)
    ]


def _compared(gone: Sequence[float | None], middle: Sequence[float | None], unfinished: Sequence[int]) -> list[str]:
    """The share of the last interval that is over beside the park's."""
    both = [
        (own, park) for place, (own, park) in enumerate(zip(gone, middle, strict=False))
        if place not in unfinished and own is not None and park is not None
    ]  # fmt: skip
    if not both:
        return []
    own, park = both[-1]
    return [
        _("Of those active before, %(own)s fell silent; in the median company %(park)s.")
        % {"own": numbers.share(own), "park": numbers.share(park)}
    ]


def fields(bar: Bar) -> dict[str, Any]:
    """What the form offers, and what is chosen."""
    return {
        "events": bar.names,
        "event": event_of(bar),
        "may_companies": may_count_companies(bar),
        "companies": of_companies(bar),
    }


STATE_NAMES = {
    "new": gettext_lazy("New"),
    "returning": gettext_lazy("Staying"),
    "resurrecting": gettext_lazy("Come back"),
    "dormant": gettext_lazy("Fallen silent"),
}
NOT_OVER = gettext_lazy("The last interval is not over: who is counted as fallen silent may still come.")
KIND = Kind(
    name=NAME,
    title=gettext_lazy("Lifecycle"),
    lead=gettext_lazy("Who is new, who stays, who comes back and who falls silent."),
    definition=gettext_lazy(
        "New: the first event of all the record. Staying: active in the interval before too. Come back: active again "
        "after a silent interval. Fallen silent: active in the interval before and not in this one; counted once."
    ),
    icon="timeline-event",
    question=question,
    show=show,
    fields=fields,
    usual="week",
    days=90,
    breakdown=False,
    comparison=False,
    beside=True,
)
