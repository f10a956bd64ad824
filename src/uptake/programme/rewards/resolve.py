"""End a redemption, once: approve it where it needs that, then fulfil, reject, cancel; refund what was fulfilled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.ledger.again import again_where_lost
from uptake.ledger.hold import AlreadyResolved as LedgerResolved
from uptake.ledger.hold import refund as refund_hold
from uptake.ledger.hold import release, settle
from uptake.programme.rewards.files import File, checked_attachment
from uptake.programme.rewards.give_code import give_code, void_code
from uptake.programme.rewards.line import call_next
from uptake.programme.rewards.models import OPEN, Attachment, Redemption, Reward, State
from uptake.programme.rewards.refusals import (
    AlreadyResolved,
    MoreThanHeld,
    NotApproved,
    NotFulfilled,
    SelfDealing,
    UnknownRedemption,
)
from uptake.programme.rewards.steps import (
    content_of,
    free_place,
    known_step,
    record_deed,
    time_out_rows,
    write_step,
)
from uptake.programme.rewards.terms import REFUND_DAYS, terms_of

LONGEST_ANSWER = 1000
DUE_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Resolved:
    """What became of a deed on a redemption."""

    redemption: Redemption
    replayed: bool


@again_where_lost
def approve(*, redemption: int, by: Viewer, key: str, now: datetime) -> Resolved:
    """Somebody of the desk agrees that the person may have it. Raises NotAllowed, UnknownRedemption, Conflict,
    AlreadyResolved (also for what is approved), SelfDealing."""
    content = content_of("approve")
    with transaction.atomic():
        row = _locked(redemption, by)
        _at_desk(row, by)
        if known_step(row, key, content):
            return Resolved(row, replayed=True)
        if row.state_at(now) != State.REQUESTED:
            raise AlreadyResolved
        _not_for_oneself(row, by)
        row.state = State.APPROVED
        row.save(update_fields=["state"])
        write_step(row, deed=State.APPROVED, key=key, content=content, by=by, points=row.price, at=now, now=now)
        _note(row, by, now)
    return Resolved(row, replayed=False)


@again_where_lost
def fulfil(
    *,
    redemption: int,
    by: Viewer,
    key: str,
    now: datetime,
    points: int | None = None,
    answer: str = "",
    file: File | None = None,
) -> Resolved:
    """The reward was handed over: the held points are spent, or `points` of them and the rest goes back.

    `answer` and `file` are for the person. Raises NotAllowed, UnknownRedemption, Conflict, AlreadyResolved,
    NotApproved, SelfDealing, MoreThanHeld, Unusable (the file).
    """
    assert points is None or points >= 0, "Whole points are fulfilled"
    content = content_of("fulfil", points, answer, file.sha256 if file else None)
    attachment = checked_attachment(file) if file else None
    with transaction.atomic():
        row = _locked(redemption, by)
        _at_desk(row, by)
        if known_step(row, key, content):
            return Resolved(row, replayed=True)
        if row.state_at(now) not in OPEN:
            raise AlreadyResolved
        if row.reward.needs_approval and row.state != State.APPROVED:
            raise NotApproved
        _not_for_oneself(row, by)
        settled = row.price if points is None else points
        if settled > row.price:
            raise MoreThanHeld
        row.answer = answer[:LONGEST_ANSWER]
        if file is not None and attachment is not None:
            Attachment.objects.create(redemption=row, name=file.name, media_type=attachment, content=file.content)
        settle_redemption(row, by=by, key=key, content=content, points=settled, now=now)
        _note(row, by, now)
    return Resolved(row, replayed=False)


def settle_redemption(
    row: Redemption, *, by: Viewer | None, key: str, content: str, points: int, now: datetime
) -> None:
    """Spend the held points of an open, locked redemption and give it its code, in the caller's transaction."""
    if row.reward.with_codes:
        give_code(row, now=now)
    terms = terms_of(row.company, now)
    try:
        settle(
            book=row.company_id,
            key=f"{row.hold}/fulfilled",
            hold=row.hold,
            cause=row.hold,
            now=now,
            grace=terms.grace(),
            points=points,
            reason=f"reward/{row.reward_id}",
            explanation={"redemption": row.pk, "reward": row.reward_id, "price": row.price},
        )
    except LedgerResolved as refused:
        raise AlreadyResolved from refused
    row.state, row.points, row.resolved_at = State.FULFILLED, points, now
    row.save(update_fields=["state", "points", "resolved_at", "answer"])
    write_step(row, deed=State.FULFILLED, key=key, content=content, by=by, points=points, at=now, now=now)
    record_deed(row, "reward.fulfilled", now)


def reject(*, redemption: int, by: Viewer, key: str, now: datetime, answer: str = "") -> Resolved:
    """The desk says no: the points go back. Raises NotAllowed, UnknownRedemption, Conflict, AlreadyResolved."""
    return _give_back(State.REJECTED, redemption, by, key, now, answer)


def cancel(*, redemption: int, by: Viewer, key: str, now: datetime) -> Resolved:
    """The person (or the desk for them) wants it no more: the points go back. Raises as `reject`."""
    return _give_back(State.CANCELLED, redemption, by, key, now, "")


def void(*, redemption: int, cause: str, by: Viewer, key: str, now: datetime) -> Resolved:
    """It is turned down for what `cause` names: the points behind it were found to be none. Raises as `reject`."""
    return _give_back(State.REJECTED, redemption, by, key, now, "", cause)


@again_where_lost
def _give_back(
    state: State, redemption: int, by: Viewer, key: str, now: datetime, answer: str, cause: str = ""
) -> Resolved:
    content = content_of(state.value, answer, *([cause] if cause else []))
    with transaction.atomic():
        row = _locked(redemption, by)
        if state != State.CANCELLED or row.person_id != by.person_id:
            _at_desk(row, by)
        if known_step(row, key, content):
            return Resolved(row, replayed=True)
        if row.state_at(now) not in OPEN:
            raise AlreadyResolved
        terms = terms_of(row.company, now)
        try:
            release(
                book=row.company_id,
                key=f"{row.hold}/{state.value}",
                hold=row.hold,
                cause=row.hold,
                now=now,
                grace=terms.grace(),
                reason=f"reward/{row.reward_id}",
                explanation={"redemption": row.pk, "reward": row.reward_id, **({"for": cause} if cause else {})},
            )
        except LedgerResolved as refused:
            raise AlreadyResolved from refused
        row.state, row.resolved_at, row.answer, row.cause = state, now, answer[:LONGEST_ANSWER], cause
        row.save(update_fields=["state", "resolved_at", "answer", "cause"])
        free_place(row.reward)
        call_next(row.reward, now)
        write_step(row, deed=state, key=key, content=content, by=by, points=row.price, at=now, now=now)
        if row.person_id != by.person_id:
            _note(row, by, now)
    return Resolved(row, replayed=False)


@again_where_lost
def refund(*, redemption: int, by: Viewer, key: str, now: datetime, answer: str = "") -> Resolved:
    """Give back all that was fulfilled, to the same points; a code that was given is void from now on.

    Raises NotAllowed, UnknownRedemption, Conflict, AlreadyResolved (refunded before), NotFulfilled, SelfDealing.
    """
    content = content_of("refund", answer)
    with transaction.atomic():
        row = _locked(redemption, by)
        _at_desk(row, by)
        if known_step(row, key, content):
            return Resolved(row, replayed=True)
        if row.state == State.REFUNDED:
            raise AlreadyResolved
        if row.state != State.FULFILLED:
            raise NotFulfilled
        _not_for_oneself(row, by)
        terms = terms_of(row.company, now)
        refund_hold(
            book=row.company_id,
            key=f"{row.hold}/refunded",
            hold=row.hold,
            cause=row.hold,
            now=now,
            grace=terms.grace(REFUND_DAYS),
            reason=f"reward/{row.reward_id}",
            explanation={"redemption": row.pk, "reward": row.reward_id},
        )
        row.state, row.resolved_at = State.REFUNDED, now
        row.answer = answer[:LONGEST_ANSWER] or row.answer
        row.save(update_fields=["state", "resolved_at", "answer"])
        free_place(row.reward)
        void_code(row, now=now)
        call_next(row.reward, now)
        points = row.points or 0
        write_step(row, deed=State.REFUNDED, key=key, content=content, by=by, points=points, at=now, now=now)
        _note(row, by, now)
    return Resolved(row, replayed=False)


def time_out_redemptions(*, now: datetime, limit: int = DUE_AT_ONCE) -> int:
    """Write down of which open redemptions the time is over; returns how many. Call again until 0."""
    due = Redemption.objects.filter(state__in=OPEN, times_out_at__lte=now).order_by("times_out_at", "pk")
    rewards = sorted(set(due.values_list("reward_id", flat=True)[:limit]))
    count = 0
    for reward_id in rewards:
        with transaction.atomic():
            reward = Reward.objects.select_for_update(no_key=True, of=("self",)).get(pk=reward_id)
            rows = list(Redemption.objects.filter(reward=reward, state__in=OPEN, times_out_at__lte=now).order_by("pk"))
            time_out_rows(reward, rows, now)
            count += len(rows)
    return count


def _locked(redemption: int, by: Viewer) -> Redemption:
    """The redemption with its reward, both locked: nothing else is done to either until the transaction ends."""
    found = Redemption.objects.visible_to(by).filter(pk=redemption).values_list("reward_id", flat=True).first()
    if found is None:
        raise UnknownRedemption
    rewards = Reward.objects.select_for_update(no_key=True, of=("self",)).select_related("company")
    reward = rewards.get(pk=found)
    row = Redemption.objects.select_for_update(no_key=True).get(pk=redemption)
    row.reward, row.company = reward, reward.company
    return row


def _at_desk(row: Redemption, by: Viewer) -> None:
    if not by.may(Deed.MANAGE_RULES, row.company):
        raise NotAllowed


def _not_for_oneself(row: Redemption, by: Viewer) -> None:
    if by.person_id is not None and by.person_id == row.person_id:
        raise SelfDealing


def _note(row: Redemption, by: Viewer, now: datetime) -> None:
    told = {"redemption": row.pk, "reward": row.reward_id, "person": row.person_id, "points": row.price}
    note(
        deed=f"redemption.{row.state}",
        actor=by,
        organization=row.company,
        subject=f"#{row.pk}",
        details={**told, **({"for": row.cause} if row.cause else {})},
        now=now,
    )
