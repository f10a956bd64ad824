"""Notes what intake refused or doubted, counted by key, day and code, with the last masked sample of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from uptake.connectors.models import IntakeProblem
from uptake.events.models import ApiKey, WidgetKey

KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Noted:
    """`count` times the same thing; `sample` is masked already."""

    key_id: int
    code: str
    count: int
    at: datetime
    detail: str = ""
    sample: Any = None
    widget: bool = False
    """Whether `key_id` is of a key of the widget."""


@transaction.atomic
def note_problems(*, problems: Sequence[Noted]) -> None:
    """Adds to the counts of the day (of the connection's clock). A key that is gone notes nothing. Old days go.

    Not safe to repeat: said twice, it is counted twice; the figures are hints, no record.
    """
    held: dict[bool, dict[int, ApiKey] | dict[int, WidgetKey]] = {
        widget: kind.objects.select_related("connection__organization").in_bulk(
            {one.key_id for one in problems if one.widget == widget}
        )
        for widget, kind in ((False, ApiKey), (True, WidgetKey))
    }
    cleared = set()
    for one in sorted(problems, key=lambda one: (one.widget, one.key_id, one.code)):
        key = held[one.widget].get(one.key_id)
        if key is None:
            continue
        of = {"widget_key" if one.widget else "key": key}
        day = key.connection.clock.date_of(one.at)
        row, made = IntakeProblem.objects.get_or_create(
            **of, day=day, code=one.code[:32], defaults={"count": 0, "first_at": one.at, "last_at": one.at}
        )
        told = {"detail": one.detail[:300], "sample": one.sample} if one.sample is not None or one.detail else {}
        IntakeProblem.objects.filter(pk=row.pk).update(count=F("count") + one.count, last_at=one.at, **told)
        if made and (one.widget, key.pk) not in cleared:
            cleared.add((one.widget, key.pk))
            IntakeProblem.objects.filter(**of, day__lt=day - timedelta(days=KEPT_DAYS)).delete()
