"""Answers what points awards came to, by person, company, rule, day or month: the question `points` of `uptake ask`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import CharField, Count, F, Q, QuerySet, Sum
from django.db.models.functions import Cast, Substr

from uptake.directory.models import Organization
from uptake.directory.scope import Viewer
from uptake.programme.models import Award

KEYS = ("analysis", "timezone", "scope", "from", "to", "by")
BY: Mapping[str, tuple[str, str]] = {
    "person": ("person_id", "person__name"),
    "company": ("company_id", "company__name"),
    "rule": ("rule", "rule"),
    "day": ("day", "day"),
    "month": ("month", "month"),
}
"""What the sums may be told apart by: the field of the key and that of the name."""


class PointsNotUnderstood(ValueError):
    """A key of the question is not known, or its value is none that it may have."""

    def __init__(self, key: str, expected: str, got: object) -> None:
        super().__init__(f"{key}: expected {expected}, got {got}")
        self.key = key


def points_asked(question: Mapping[str, Any], viewer: Viewer) -> dict[str, Any]:
    """Awards with points of the business dates "from" to "to" (both included; left out: all), as they stand now.

    Gives {"points", "awards", "people", "by", "rows": [{"key", "name", "points", "awards"}, …]}, most points first,
    days and months in their order. "scope" is an organization's number or several; "by" is one of `BY`, by itself
    "person". Only what the viewer may see is added up. Raises PointsNotUnderstood.
    """
    if unknown := sorted(set(question) - set(KEYS)):
        raise PointsNotUnderstood(unknown[0], f"one of {', '.join(KEYS)}", question[unknown[0]])
    by = question.get("by", "person")
    if not isinstance(by, str) or by not in BY:
        raise PointsNotUnderstood("by", f"one of {', '.join(BY)}", by)
    awards = _scoped(Award.objects.visible_to(viewer).paid(), question.get("scope"))
    if (first := _date(question, "from")) is not None:
        awards = awards.filter(date__gte=first)
    if (last := _date(question, "to")) is not None:
        awards = awards.filter(date__lte=last)
    whole = awards.aggregate(points=Sum("points", default=0), awards=Count("pk"), people=Count("person", distinct=True))
    key, name = BY[by]
    rows = (
        awards.annotate(day=Cast("date", CharField()), month=Substr(Cast("date", CharField()), 1, 7))
        .values(key_of_row=F(key), name_of_row=F(name))
        .annotate(sum_of_row=Sum("points"), awards_of_row=Count("pk"))
        .order_by(*(["key_of_row"] if by in {"day", "month"} else ["-sum_of_row", "key_of_row"]))
    )
    return {
        **whole,
        "by": by,
        "rows": [
            {
                "key": row["key_of_row"],
                "name": row["name_of_row"],
                "points": row["sum_of_row"],
                "awards": row["awards_of_row"],
            }
            for row in rows
        ],
    }


def _scoped(awards: QuerySet[Award], scope: object) -> QuerySet[Award]:
    """Awards given at or below these organizations."""
    if scope is None:
        return awards
    listed = scope if isinstance(scope, list) else [scope]
    numbers = [one for one in listed if isinstance(one, int) and not isinstance(one, bool)]
    if len(numbers) != len(listed):
        raise PointsNotUnderstood("scope", "an organization's number, or a list of them", scope)
    within = Q(pk__in=())
    for path in Organization.objects.filter(pk__in=numbers).values_list("path", flat=True):
        within |= Q(path__startswith=path)
    return awards.filter(company_id__in=Organization.objects.filter(within).values("pk"))


def _date(question: Mapping[str, Any], key: str) -> date | None:
    value = question.get(key)
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as reason:
        raise PointsNotUnderstood(key, "a date such as 2026-05-01", value) from reason
