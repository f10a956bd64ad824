"""Writes down what was done to a redemption, frees its place, and says so: what all doors on redemptions share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from uptake.basics.canonical import fingerprint
from uptake.directory.viewer import Viewer
from uptake.events.record_own import OwnDeed, record_own
from uptake.notify.announce import News, announce
from uptake.notify.models import About
from uptake.notify.tell import Telling, tell
from uptake.programme.rewards.line import call_next
from uptake.programme.rewards.models import OPEN, Redemption, Reward, State, Step
from uptake.programme.rewards.refusals import Conflict

TOLD = (State.APPROVED, State.FULFILLED, State.REJECTED, State.TIMED_OUT, State.REFUNDED)
"""What a person is told of; one's own request and cancellation one knows."""


def content_of(*parts: Any) -> str:
    """The fingerprint of what a key stands for."""
    return fingerprint(list(parts))


def known_step(row: Redemption, key: str, content: str) -> Step | None:
    """The step written under the key before. Raises Conflict where it was another one."""
    step = Step.objects.filter(redemption=row, key=key).first()
    if step is not None and step.fingerprint != content:
        raise Conflict(f"Key {key!r} was used with other content")
    return step


def write_step(
    row: Redemption, *, deed: State, key: str, content: str, by: Viewer | None, points: int, at: datetime, now: datetime
) -> Step:
    """The next step of the redemption; the person is told of it where others did it."""
    last = Step.objects.filter(redemption=row).order_by("-number").values_list("number", flat=True).first() or 0
    step = Step.objects.create(
        redemption=row,
        number=last + 1,
        deed=deed,
        key=key,
        fingerprint=content,
        by_id=by.user_id if by else None,
        points=points,
        at=at,
    )
    about = {"redemption": row.pk, "reward": row.reward.name_in("en"), "price": row.price, "points": points}
    heard = News(
        about=About.REDEMPTIONS,
        kind=f"redemption.{deed}",
        organization_id=row.company_id,
        key=f"redemption/{row.pk}/{step.number}",
        at=at,
        person_id=row.person_id,
        data=about,
    )
    announce([heard], now=now)
    if deed in TOLD and (by is None or by.person_id != row.person_id):
        said = {
            "redemption": row.pk,
            "name_en": row.reward.name_in("en"),
            "name_zh": row.reward.name_in("zh"),
            "price": row.price,
        }
        key_of_telling = f"redemption/{row.pk}/{step.number}"
        kind = "redemption.voided" if row.cause else f"redemption.{deed}"
        tell([Telling(person_id=row.person_id, key=key_of_telling, kind=kind, content=said)], now=now)
    return step


def free_place(reward: Reward, count: int = 1) -> None:
    """So many redemptions of the reward no longer count for its stock."""
    if count:
        Reward.objects.filter(pk=reward.pk).update(taken=F("taken") - count)
        reward.taken -= count


def time_out_rows(reward: Reward, rows: Sequence[Redemption], now: datetime) -> None:
    """Write down of open redemptions of a locked reward that their time is over. Their holds the ledger gives back by
    itself, at the same instant."""
    for row in rows:
        assert row.state in OPEN, "only what is open times out"
        row.reward = reward
        row.state, row.resolved_at = State.TIMED_OUT, row.times_out_at
        row.save(update_fields=["state", "resolved_at"])
        write_step(
            row,
            deed=State.TIMED_OUT,
            key="time",
            content=content_of("timed_out"),
            by=None,
            points=row.price,
            at=row.times_out_at,
            now=now,
        )
    free_place(reward, len(rows))
    call_next(reward, now)


def record_deed(row: Redemption, name: str, now: datetime) -> None:
    """The redemption on the one timeline of events."""
    deed = OwnDeed(
        company=row.company_id,
        person=row.person_id,
        name=name,
        key=f"redemption/{row.pk}",
        at=now,
        object=f"reward/{row.reward_id}",
        facts={"price": row.price, "kind": row.reward.kind},
    )
    record_own([deed], now=now)
