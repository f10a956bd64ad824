"""Groups that want it are told on Monday morning how the week before was: sums, and nothing of one person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.place import settings_at, settings_of
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.notify.announce import body_of, new_number
from uptake.notify.models import About, Delivery, Webhook
from uptake.notify.own_words import own_at
from uptake.notify.wordings import WEEK

KIND: Final = WEEK
FROM, UNTIL = time(9), time(18)
LAST_WEEKDAY: Final = 2
"""Until Wednesday, where nobody could tell it on Monday."""

Figures = Callable[[Organization, date], Mapping[str, Any] | None]
"""What is told of a place's week from a Monday; None: nothing, as it would be about too few people."""


class NothingToTell(Exception):
    """Too few people belong to the place."""


def tell_weeks(*, now: datetime, figures: Figures) -> int:
    """Writes the week before for every group that wants it and whose place's clock shows a working hour; how many."""
    rows = Webhook.objects.exclude(chat="").filter(stopped_at=None).select_related("organization").order_by("pk")
    hooks = [hook for hook in rows if About.WEEK in hook.about]
    clocks = settings_of({hook.organization for hook in hooks})
    done = 0
    for hook in hooks:
        local = now.astimezone(ZoneInfo(clocks[hook.organization_id].at(now).zone))
        if local.weekday() > LAST_WEEKDAY or not FROM <= local.time() < UNTIL:
            continue
        monday = monday_before(local.date())
        key = f"week/{monday}"
        if hook.deliveries.filter(key=key).exists():
            continue
        content = figures(hook.organization, monday)
        if content is not None:
            done += _write(hook, key, content, now)
    return done


@transaction.atomic
def send_week(*, webhook: Webhook, figures: Figures, by: Viewer, now: datetime) -> None:
    """Tells a group its place's last week now, once more. Raises NotAllowed, NothingToTell."""
    hook = _held(webhook, by)
    local = now.astimezone(ZoneInfo(settings_at(hook.organization).at(now).zone))
    content = figures(hook.organization, monday_before(local.date()))
    if content is None:
        raise NothingToTell
    _write(hook, f"week/now/{new_number()}", content, now)
    note(
        deed="chat.week_sent",
        actor=by,
        organization=hook.organization,
        subject=hook.name,
        details={"webhook": hook.pk},
        now=now,
    )


@transaction.atomic
def set_weekly(*, webhook: Webhook, wanted: bool, by: Viewer, now: datetime) -> None:
    """Whether a group hears the week in figures. Raises NotAllowed."""
    hook = _held(webhook, by)
    if wanted == (About.WEEK in hook.about):
        return
    chosen = {*hook.about, About.WEEK.value} if wanted else set(hook.about) - {About.WEEK.value}
    hook.about = [one.value for one in About if one.value in chosen]
    hook.save(update_fields=["about"])
    note(
        deed="chat.week_on" if wanted else "chat.week_off",
        actor=by,
        organization=hook.organization,
        subject=hook.name,
        details={"webhook": hook.pk},
        now=now,
    )


def monday_before(day: date) -> date:
    """The Monday of the last whole week before a day."""
    return day - timedelta(days=day.weekday() + 7)


def _write(hook: Webhook, key: str, content: Mapping[str, Any], now: datetime) -> int:
    told, own = {"organization": hook.organization.slug, **content}, own_at(hook.organization, {KIND})
    made = Delivery(
        webhook=hook,
        number=new_number(),
        key=key,
        kind=KIND,
        body=body_of(KIND, now, told, said_in=hook.language, own=own),
        written_at=now,
        due_since=now,
        next_at=now,
    )
    Delivery.objects.bulk_create([made], ignore_conflicts=True)
    return 1


def _held(webhook: Webhook, by: Viewer) -> Webhook:
    rows = Webhook.objects.select_for_update(of=("self",)).select_related("organization")
    hook = rows.exclude(chat="").get(pk=webhook.pk)
    if not by.may(Deed.MANAGE_DATA, hook.organization):
        raise NotAllowed
    return hook
