"""What a funnel asks, as its address says it: steps, order, window, exclusions, and the two steps looked at closer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from uptake.events.models import EventType
from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds import steps as written
from uptake.web.pages.explore.kinds.steps import Exclusion, Step
from uptake.web.usage import labels_of

NAME = "funnel"
ORDERS: Mapping[str, Promise] = {
    "ordered": gettext_lazy("in this order"),
    "strict": gettext_lazy("with nothing in between"),
    "unordered": gettext_lazy("in any order"),
}
UNITS: Mapping[str, int] = {"hours": 3600, "days": 86_400}
MOST_UNITS = 1000
COUNTS: Mapping[str, Promise] = {
    "person": gettext_lazy("people"),
    "company": gettext_lazy("companies"),
    "object": gettext_lazy("objects, such as orders"),
}
TOUCHES: Mapping[str, str | Promise] = {
    "first_touch": gettext_lazy("of the first event"),
    "last_touch": gettext_lazy("of the last event"),
    "all_events": gettext_lazy("that all steps share"),
}
VALUES_SHOWN = 8
TIME, OVER_TIME = "time", "over_time"


@dataclass(frozen=True)
class Hop:
    """From one step to another, as a choice."""

    value: str
    label: str


def chosen_steps(bar: Bar) -> list[Step]:
    """The steps of the address. Where it names none: the most frequent event, and then those of the category in which
    most different things are done; without categories the three most frequent. Page views come last."""
    found = written.steps_of(bar.request.GET)
    if found or "step" in bar.request.GET:
        return found
    deeds = [name for name, _label in bar.names if not name.startswith("$")]
    rest = deeds[1:]
    known = dict(EventType.objects.filter(name__in=rest).exclude(category="").values_list("name", "category"))
    kinds = Counter(known[name] for name in rest if name in known)
    if kinds and kinds.most_common(1)[0][1] > 1:
        rest = [name for name in rest if known.get(name) == kinds.most_common(1)[0][0]]
    return [Step((name,)) for name in (*deeds[:1], *rest[:2])] or [Step((name,)) for name, _label in bar.names[:1]]


def _chosen(bar: Bar, name: str, known: Mapping[str, Any], usual: str) -> str:
    value = bar.request.GET.get(name, "")
    return value if value in known else usual


def touches_of(steps: int, order: str) -> dict[str, str | Promise]:
    """Whose value of the breakdown somebody's is: by what the address says, its name. Steps are numbered from 0 there;
    without an order only the first to be done has a number."""
    numbered = range(1 if order == "unordered" else steps)
    return {**TOUCHES, **{f"step:{k}": _("of step %(number)s") % {"number": k + 1} for k in numbered}}


def window_of(bar: Bar) -> tuple[int, str]:
    """(number, unit) of the window; 14 days where the address says nothing sensible."""
    text = bar.request.GET.get("window", "")
    if text.isdecimal() and 1 <= int(text) <= MOST_UNITS:
        return int(text), _chosen(bar, "unit", UNITS, "days")
    return 14, "days"


def question(bar: Bar) -> dict[str, Any] | None:
    """The funnel of the address; None: no event ever happened here, or all steps were taken away."""
    steps = chosen_steps(bar)
    if not steps:
        return None
    order = _chosen(bar, "order", ORDERS, "ordered")
    number, unit = window_of(bar)
    own: dict[str, Any] = {
        "interval": None,
        "steps": [one.asked() for one in steps],
        "order": order,
        "window_seconds": number * UNITS[unit],
        "count_by": _chosen(bar, "count", COUNTS, "person"),
    }
    if order == "unordered":
        for step in own["steps"]:
            step.pop("optional", None)
    exclusions = written.exclusions_of(bar.request.GET, len(steps)) if len(steps) > 1 else []
    if exclusions:
        own["exclusions"] = [_excluded(one, order) for one in exclusions]
    if bar.by:
        touch = _chosen(bar, "touch", touches_of(len(steps), order), "first_touch")
        own |= {"by": None, "breakdown": {"by": bar.by, "attribution": touch, "limit": VALUES_SHOWN}}
    return bar.question("funnel", **own)


def _excluded(one: Exclusion, order: str) -> dict[str, Any]:
    found: dict[str, Any] = {"event": list(one.names)}
    if one.after is not None and one.before is not None and order != "unordered":
        found |= {"after_step": one.after, "before_step": one.before}
    return found


def hop_of(bar: Bar, steps: int) -> tuple[int, int]:
    """The two steps (from 0) between which time and conversion are looked at; the whole way where none are named."""
    first, _dash, last = bar.request.GET.get("hop", "").partition("-")
    if first.isdecimal() and last.isdecimal() and 0 < int(first) < int(last) <= steps:
        return int(first) - 1, int(last) - 1
    return 0, steps - 1


def between(bar: Bar, asked: Mapping[str, Any], of: str) -> dict[str, Any]:
    """The question about two steps of a funnel: how long people take, or how many get there over time."""
    first, last = hop_of(bar, len(asked["steps"]))
    kept = {key: value for key, value in asked.items() if key not in ("breakdown", "compare")}
    own: dict[str, Any] = {"from_step": first, "to_step": last}
    if of == TIME:
        return kept | own | {"analysis": "time_to_convert"}
    return kept | own | {"analysis": "funnel_trends", "interval": bar.every}


def opened(bar: Bar) -> dict[str, Any] | None:
    """The question whose number is opened."""
    asked, of = question(bar), bar.request.GET.get("of", "")
    if asked is None or of not in (TIME, OVER_TIME):
        return asked
    return between(bar, asked, of)


def labels_for(steps: Sequence[Step | Exclusion]) -> list[str]:
    """What the steps are called: their events in the reader's language, of more than two the first and how many."""
    known = labels_of(sorted({name for step in steps for name in step.names}))
    found = []
    for step in steps:
        names = [known[name] for name in step.names]
        if len(names) <= 2:
            found.append(_(" or ").join(names))
        else:
            more = ngettext("%(first)s or %(n)s other", "%(first)s or %(n)s others", len(names) - 1)
            found.append(more % {"first": names[0], "n": len(names) - 1})
    return found


def words(bar: Bar, asked: Mapping[str, Any]) -> str:
    """The question as a sentence."""
    steps = chosen_steps(bar)
    unordered = asked["order"] == "unordered"
    names = labels_for(steps)
    told_ = [
        _("%(step)s (first time)") % {"step": name} if step.way == "first"
        else _("%(step)s (may be skipped)") % {"step": name} if step.way == "optional" and not unordered
        else name
        for step, name in zip(steps, names, strict=True)
    ]  # fmt: skip
    number, unit = window_of(bar)
    text = {
        "person": _("How many people did %(steps)s, %(order)s, within %(window)s at %(place)s?"),
        "company": _("How many companies did %(steps)s, %(order)s, within %(window)s at %(place)s?"),
        "object": _("How many objects went through %(steps)s, %(order)s, within %(window)s at %(place)s?"),
    }[asked["count_by"]] % {
        "steps": (", " if unordered else " → ").join(told_),
        "order": ORDERS[asked["order"]],
        "window": _hours(number) if unit == "hours" else _days(number),
        "place": bar.place.name,
    }
    exclusions = written.exclusions_of(bar.request.GET, len(steps))
    if exclusions and "exclusions" in asked:
        names = labels_for(exclusions)
        text += " " + _("Without %(events)s in between.") % {"events": _(" or ").join(names)}
    return text


def subtitle(bar: Bar) -> str:
    """The period, and the window."""
    number, unit = window_of(bar)
    first, last = numbers.ends(bar.chosen.period.first, bar.chosen.period.shown_last)
    return _("%(first)s – %(last)s; %(window)s from the first step to the last") % {
        "first": first,
        "last": last,
        "window": _hours(number) if unit == "hours" else _days(number),
    }


def _hours(number: int) -> str:
    return ngettext("%(n)s hour", "%(n)s hours", number) % {"n": number}


def _days(number: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", number) % {"n": number}


def fields(bar: Bar) -> dict[str, Any]:
    """What the form shows."""
    steps = chosen_steps(bar)
    labels = labels_for(steps)
    exclusions = written.exclusions_of(bar.request.GET, len(steps))
    first, last = hop_of(bar, len(steps))
    number, unit = window_of(bar)
    touches = touches_of(len(steps), _chosen(bar, "order", ORDERS, "ordered"))
    return {
        "events": bar.names,
        "rows": written.rows_of(bar, steps, labels),
        "more": len(steps) < written.MOST_STEPS,
        "editing": "step" in bar.request.GET,
        "orders": ORDERS,
        "order": _chosen(bar, "order", ORDERS, "ordered"),
        "window": number,
        "unit": unit,
        "counts": COUNTS,
        "count": _chosen(bar, "count", COUNTS, "person"),
        "touches": touches,
        "touch": _chosen(bar, "touch", touches, "first_touch"),
        "exclusions": [
            (one, label, written.without_exclusion(bar, exclusions, number))
            for number, (one, label) in enumerate(zip(exclusions, labels_for(exclusions), strict=True))
        ],
        "may_exclude": len(steps) > 1 and len(exclusions) < written.MOST_EXCLUSIONS,
        "bounds": [
            Hop(f"{k + 1}-{j + 1}", _("between steps %(first)s and %(last)s") % {"first": k + 1, "last": j + 1})
            for k in range(len(steps))
            for j in range(k + 1, len(steps))
            if steps[k].way != "optional" and steps[j].way != "optional"
        ],
        "hops": [
            Hop(f"{k + 1}-{j + 1}", _("step %(first)s to step %(last)s") % {"first": k + 1, "last": j + 1})
            for k in range(len(steps))
            for j in range(k + 1, len(steps))
        ],
        "hop": f"{first + 1}-{last + 1}",
    }
