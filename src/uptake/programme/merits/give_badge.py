"""Gives badges and takes them back: by hand with a reason, and, for `give_badges`, by their conditions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Person
from uptake.directory.place import membership_on, settings_at
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.events.record_own import OwnDeed, record_own
from uptake.notify.tell import Telling, tell
from uptake.programme.merits.define_badge import may_keep
from uptake.programme.merits.models import Badge, BadgeKind, GivenBadge
from uptake.programme.merits.refusals import NotAMember, NotOpen, ReasonMissing, SelfDealing

LONGEST_REASON = 300


class Earned(NamedTuple):
    """Somebody fulfilled the condition of a badge."""

    person: int
    open_until: datetime | None
    """Until then it may turn out that they did not."""


def give_by_hand(*, badge_id: int, person: Person, reason: str, by: Viewer, now: datetime) -> GivenBadge:
    """The badge for a person of its company. Who has it already keeps it as it is.

    Raises NotAllowed, NotOpen (not given by hand, or retired), SelfDealing, ReasonMissing, NotAMember.
    """
    badge = Badge.objects.visible_to(by).select_related("company").filter(pk=badge_id).first()
    if badge is None or not may_keep(by, badge.company):
        raise NotAllowed
    if badge.kind != BadgeKind.HAND or badge.retired_at is not None:
        raise NotOpen
    if by.person_id == person.pk:
        raise SelfDealing
    if not reason.strip():
        raise ReasonMissing
    span = membership_on(person.pk, settings_at(badge.company).date_of(now))
    if span is None or span.company_id != badge.company_id or person.erased_at is not None:
        raise NotAMember
    with transaction.atomic():
        if give(badge, [Earned(person.pk, None)], now=now, by=by, reason=reason.strip()[:LONGEST_REASON]):
            _note("badge.given", badge, person.pk, by, now)
    return GivenBadge.objects.get(badge=badge, person=person)


def take_back_by_hand(*, given_id: int, by: Viewer, now: datetime) -> None:
    """A badge given by hand is taken back. Repeating changes nothing. Raises NotAllowed, NotOpen."""
    with transaction.atomic():
        rows = GivenBadge.objects.visible_to(by).select_for_update(no_key=True, of=("self",))
        row = rows.select_related("badge__company").filter(pk=given_id).first()
        if row is None or not may_keep(by, row.badge.company):
            raise NotAllowed
        if row.badge.kind != BadgeKind.HAND:
            raise NotOpen
        if row.taken_back_at is None:
            take_back([row], now=now)
            _note("badge.taken_back", row.badge, row.person_id, by, now)


def give(
    badge: Badge, earned: Iterable[Earned], *, now: datetime, by: Viewer | None = None, reason: str = ""
) -> list[int]:
    """Gives the badge to whoever has it not, also to those it was taken back from; gives who they are. Call it in a
    transaction. Each is told, and the badge stands on the timeline once."""
    wanted = {one.person: one for one in earned}
    known = {row.person_id: row for row in badge.given.filter(person_id__in=wanted).select_for_update(no_key=True)}
    fresh = [one for person, one in wanted.items() if person not in known]
    again = [row for row in known.values() if row.taken_back_at is not None]
    user = by.user_id if by else None
    made = [
        GivenBadge(
            badge=badge, person_id=one.person, given_at=now, given_by_id=user, reason=reason, open_until=one.open_until
        )
        for one in fresh
    ]
    GivenBadge.objects.bulk_create(made, batch_size=500)
    for row in again:
        row.given_at, row.taken_back_at, row.reason, row.given_by_id = now, None, reason, user
        row.open_until = wanted[row.person_id].open_until
        row.save(update_fields=["given_at", "taken_back_at", "reason", "given_by", "open_until"])
    given = sorted(row.person_id for row in (*made, *again))
    said = {"badge": badge.pk, "name_en": badge.name_in("en"), "name_zh": badge.name_in("zh")}
    stamp = f"{now.timestamp():.0f}"
    record_own(
        [
            OwnDeed(badge.company_id, person, "badge.given", f"badge/{badge.pk}/{person}", now, f"badge/{badge.pk}")
            for person in given
        ],
        now=now,
    )
    tell(
        [
            Telling(person_id=person, key=f"badge/{badge.pk}/{stamp}", kind="badge.given", content=said)
            for person in given
        ],
        now=now,
    )
    return given


def take_back(rows: Iterable[GivenBadge], *, now: datetime) -> None:
    """What the badges were given for does not stand any more. Call it in a transaction."""
    told = []
    for row in rows:
        row.taken_back_at, row.open_until = now, None
        row.save(update_fields=["taken_back_at", "open_until"])
        said = {"badge": row.badge_id, "name_en": row.badge.name_in("en"), "name_zh": row.badge.name_in("zh")}
        key = f"badge/{row.badge_id}/back/{now.timestamp():.0f}"
        told.append(Telling(person_id=row.person_id, key=key, kind="badge.taken_back", content=said))
    tell(told, now=now)


def _note(deed: str, badge: Badge, person: int, by: Viewer, now: datetime) -> None:
    details = {"badge": badge.pk, "person": person}
    note(deed=deed, actor=by, organization=badge.company, subject=str(badge), details=details, now=now)
