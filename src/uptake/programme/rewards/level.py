"""Which level a person stands at, as far as rewards need to know."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Sum

from uptake.ledger.models import Lot
from uptake.programme.levels import NONE, reached
from uptake.programme.models import Award
from uptake.programme.rulebook import Rulebook

SPECIAL = "special/"
"""How the keys of lots of special points begin."""


def rank_of(*, person: int, company: int, rulebook: Rulebook, now: datetime) -> int:
    """The rank of the person's level: 0 is the first one, -1 none."""
    if not rulebook.levels:
        return NONE
    awards = Award.objects.filter(person_id=person, company_id=company).aggregate(sum=Sum("points", default=0))["sum"]
    lots = Lot.objects.filter(book=company, owner=str(person), key__startswith=SPECIAL)
    special = lots.aggregate(sum=Sum(F("amount") - F("reversed"), default=0))["sum"]
    return reached(rulebook.levels, awards + special)


def reaches(level: str, *, person: int, company: int, rulebook: Rulebook, now: datetime) -> bool:
    """Whether the person stands at this level or above; nobody at one the rulebook does not have."""
    names = [one.name for one in rulebook.levels]
    return level in names and rank_of(person=person, company=company, rulebook=rulebook, now=now) >= names.index(level)
