"""Put the codes of a list into the pool of a reward: each once, encrypted; the stock follows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from uptake.directory.audit import note
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.programme.rewards.line import call_next
from uptake.programme.rewards.models import Code, Reward
from uptake.programme.rewards.refusals import Unusable
from uptake.programme.rewards.sealing import digest, sealed

LONGEST_CODE: Final = 200
MOST_CODES: Final = 20_000
HEADINGS: Final = ("code", "codes", "coupon", "card", "券码", "兑换码", "卡号", "卡密")
ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a list of codes."""

    added: int
    known: int
    """Were in the pool before, or stood twice in the list."""


def codes_of(text: str) -> list[str]:
    """The codes of a text: one a line, or the first column of a CSV file, with a heading or not. Raises Unusable."""
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    try:
        found = [row[0].strip() for row in rows if row and row[0].strip()]
    except csv.Error as broken:
        raise Unusable("codes", _("The list of codes cannot be read")) from broken
    if found and found[0].lower() in HEADINGS:
        found = found[1:]
    if not found:
        raise Unusable("codes", _("The list holds no code"))
    if len(found) > MOST_CODES:
        raise Unusable("codes", _("More than %(most)s codes at once") % {"most": f"{MOST_CODES:,}"})
    if longest := next((number for number, code in enumerate(found, 1) if len(code) > LONGEST_CODE), None):
        # The code itself is never repeated: it would stand in a log.
        raise Unusable("codes", _("Code number %(n)s is longer than %(most)s characters") % {"n": longest, "most": 200})
    return found


def import_coupons(*, reward: Reward, codes: Iterable[str], by: Viewer, now: datetime) -> Imported:
    """Codes not in the pool yet are added. Raises NotAllowed, Unusable where the reward takes no codes."""
    if not by.may(Deed.MANAGE_RULES, reward.company):
        raise NotAllowed
    if not reward.with_codes:
        raise Unusable("codes", _("This reward is not given as a code"))
    fresh: dict[str, str] = {}
    count = 0
    for code in codes:
        count += 1
        fresh.setdefault(digest(code), code)
    with transaction.atomic():
        locked = Reward.objects.select_for_update(no_key=True).get(pk=reward.pk)
        known = set(Code.objects.filter(reward=locked).values_list("digest", flat=True))
        rows = [
            Code(reward=locked, digest=key, sealed=sealed(code), imported_at=now)
            for key, code in fresh.items()
            if key not in known
        ]
        Code.objects.bulk_create(rows, batch_size=ROWS)
        locked.stock = Code.objects.filter(reward=locked, void_at__isnull=True).count()
        locked.save(update_fields=["stock"])
        reward.stock = locked.stock
        call_next(locked, now)
        note(
            deed="codes.imported",
            actor=by,
            organization=reward.company,
            subject=str(reward),
            details={"reward": reward.pk, "added": len(rows), "known": count - len(rows)},
            now=now,
        )
    return Imported(len(rows), count - len(rows))
