"""Put a reward into the catalogue of a company, change it, give it a picture, hide it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.programme.rewards.files import File, checked_picture
from uptake.programme.rewards.line import call_next, close_line
from uptake.programme.rewards.models import KINDS_WITH_CODES, Picture, Reward, RewardKind
from uptake.programme.rewards.refusals import Unusable

HIGHEST_PRICE = 10_000_000
LONGEST_KEPT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """All that one can choose about a reward; the fields are those of the table."""

    kind: str
    name_en: str = ""
    name_zh: str = ""
    text_en: str = ""
    text_zh: str = ""
    price: int = 0
    stock: int | None = None
    per_person: int | None = None
    level: str = ""
    from_date: date | None = None
    until_date: date | None = None
    needs_approval: bool = False
    with_codes: bool = False
    leave_days: Decimal | None = None
    hidden: bool = False
    has_line: bool = False
    keep_days: int = 3


def offer(
    *,
    company: Organization,
    offer: Offer,
    by: Viewer,
    now: datetime,
    reward: Reward | None = None,
    picture: File | None = None,
    drop_picture: bool = False,
) -> Reward:
    """A new reward, or another wording of `reward`. What was asked for before keeps its price.

    Raises NotAllowed; Unusable naming the field that cannot be.
    """
    if not by.may(Deed.MANAGE_RULES, company) or (reward is not None and reward.company_id != company.pk):
        raise NotAllowed
    _check(offer)
    checked = checked_picture(picture) if picture else None
    with transaction.atomic():
        if reward is None:
            row = Reward(company=company, created_at=now)
        else:
            row = Reward.objects.select_for_update(no_key=True, of=("self",)).get(pk=reward.pk)
        before = _told(row) if row.pk else {}
        with_codes, stock = row.with_codes, row.stock
        for field in fields(Offer):
            setattr(row, field.name, getattr(offer, field.name))
        if row.with_codes:
            if row.pk and not with_codes and row.taken:
                raise Unusable("with_codes", _("This reward was redeemed without codes: make another one"))
            row.stock = (stock or 0) if with_codes else 0
        elif with_codes and row.codes.exists():
            raise Unusable("with_codes", _("This reward has a pool of codes: make another one"))
        if row.pk and not row.has_line:
            close_line(row, now)
        if row.stock is not None and row.stock < row.taken + row.kept:
            raise Unusable("stock", _("%(n)s are taken already") % {"n": row.taken + row.kept})
        row.save()
        call_next(row, now)
        if checked:
            _set_picture(row, checked)
        elif drop_picture:
            Picture.objects.filter(reward=row).delete()
        after = _told(row)
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        if changed or checked or drop_picture:
            note(
                deed="reward.changed" if before else "reward.offered",
                actor=by,
                organization=company,
                subject=str(row),
                details={"reward": row.pk, **changed},
                now=now,
            )
    return row


def _set_picture(row: Reward, checked: tuple[str, bytes]) -> None:
    media_type, content = checked
    kept = {"media_type": media_type, "content": content, "sha256": hashlib.sha256(content).hexdigest()}
    Picture.objects.update_or_create(reward=row, defaults=kept)


def _check(offer: Offer) -> None:
    if not (offer.name_en.strip() or offer.name_zh.strip()):
        raise Unusable("name_en", _("Name it in at least one language"))
    if offer.kind not in RewardKind:
        raise Unusable("kind", _("Choose what it is"))
    if not 0 <= offer.price <= HIGHEST_PRICE:
        raise Unusable("price", _("The price is a whole number of points, 0 or more"))
    if offer.from_date and offer.until_date and offer.from_date >= offer.until_date:
        raise Unusable("until_date", _("The last day is before the first"))
    if (offer.kind == RewardKind.LEAVE) != (offer.leave_days is not None) or (
        offer.leave_days is not None and offer.leave_days <= 0
    ):
        raise Unusable("leave_days", _("Extra leave says how many days; nothing else does"))
    if not 1 <= offer.keep_days <= LONGEST_KEPT:
        raise Unusable("keep_days", _("From 1 to %(n)s days") % {"n": LONGEST_KEPT})
    if offer.with_codes and offer.kind not in KINDS_WITH_CODES:
        raise Unusable("with_codes", _("Only coupons and gift cards are given as codes"))


def _told(row: Reward) -> dict[str, Any]:
    """What the audit log says of a reward: plain values."""
    told: dict[str, Any] = {}
    for field in fields(Offer):
        value = getattr(row, field.name)
        told[field.name] = str(value) if isinstance(value, date | Decimal) else value
    return told
