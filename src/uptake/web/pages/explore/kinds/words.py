"""Words and small readings that several pages of analysis share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.usage import labels_of

INTERVALS: Mapping[str, str | Promise] = {
    "hour": gettext_lazy("hour"),
    "day": gettext_lazy("day"),
    "week": gettext_lazy("week"),
    "month": gettext_lazy("month"),
}
STARTS: Mapping[str, str | Promise] = {
    "hour": gettext_lazy("Hour from"),
    "day": gettext_lazy("Day"),
    "week": gettext_lazy("Week from"),
    "month": gettext_lazy("Month from"),
}
"""What stands above the first instants of intervals."""


def few(count: int | None, answer: Mapping[str, Any] | None = None, *place: str | int) -> str:
    """A count, or that it is too small to be told, or (by its place in the answer) that it would tell a small one."""
    if count is not None:
        return numbers.full(count)
    beside = answer.get("also_hidden", ()) if answer is not None else ()
    return _("hidden") if "/".join(map(str, place)) in beside else "< 5"


def hidden_note(answer: Mapping[str, Any]) -> list[str]:
    """Why a figure is hidden that is not small."""
    if not answer.get("also_hidden"):
        return []
    return [_("“Hidden” are numbers from which one of fewer than 5 people could be reckoned.")]


def event_of(bar: Bar, parameter: str = "event") -> str:
    """The name of the event that a parameter of the address chooses; empty: any."""
    return bar.request.GET.get(parameter, "").strip()[:255]


def event_label(name: str) -> str:
    """What an event is called, in a sentence; empty: any."""
    return labels_of([name])[name] if name else _("any activity")


def one_of(bar: Bar, parameter: str, several: tuple[str, ...]) -> str:
    """What a parameter of the address says, the first of `several` where it says none of them."""
    said = bar.request.GET.get(parameter, "")
    return said if said in several else several[0]


def whole(bar: Bar, parameter: str, least: int, most: int) -> int:
    """A whole number of the address, within its bounds; `least` where there is none."""
    said = bar.request.GET.get(parameter, "")
    return min(max(int(said), least), most) if said.isdecimal() and len(said) < 10 else least


def as_of() -> str:
    """This instant, as a question says it: what is not over now is marked."""
    return timezone.now().isoformat(timespec="seconds")
