"""Take a code from its pool for one redemption; void it when that is refunded; show it to its owner and nobody else."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from uptake.directory.viewer import Viewer
from uptake.programme.rewards.models import Code, Redemption, Reward, State
from uptake.programme.rewards.refusals import NotFulfilled, OutOfStock, UnknownRedemption
from uptake.programme.rewards.sealing import opened


def give_code(row: Redemption, *, now: datetime) -> None:
    """The first free code of the pool becomes the redemption's, in the caller's transaction; the reward is locked."""
    code = Code.objects.filter(reward_id=row.reward_id, redemption__isnull=True).order_by("pk").first()
    if code is None:
        raise OutOfStock
    code.redemption, code.given_at = row, now
    code.save(update_fields=["redemption", "given_at"])


def void_code(row: Redemption, *, now: datetime) -> None:
    """A code that was given and refunded goes to nobody: the pool is smaller by one."""
    if Code.objects.filter(redemption=row, void_at__isnull=True).update(void_at=now):
        Reward.objects.filter(pk=row.reward_id).update(stock=F("stock") - 1)
        if row.reward.stock is not None:
            row.reward.stock -= 1


def show_code(*, redemption: int, by: Viewer, now: datetime) -> str:
    """The code of one's own fulfilled redemption; when it was first seen is kept. Raises UnknownRedemption (also where
    it is another's or has no code), NotFulfilled."""
    with transaction.atomic():
        row = Redemption.objects.filter(pk=redemption, person_id=by.person_id).first() if by.person_id else None
        code = Code.objects.select_for_update(no_key=True).filter(redemption=row).first() if row else None
        if row is None or code is None:
            raise UnknownRedemption
        if row.state != State.FULFILLED:
            raise NotFulfilled
        if code.shown_at is None:
            code.shown_at = now
            code.save(update_fields=["shown_at"])
        return opened(code.sealed)
