"""Tokens of the widget: whose points, at which company, by which key, and until when; signed, kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.core.signing import BadSignature, Signer

LONGEST: Final = timedelta(minutes=15)
SHORTEST: Final = timedelta(seconds=30)
FORM: Final = "uwt_"
_SALT: Final = "uptake.widget"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token opens: the points of one person at one company, in pages that the key allows."""

    key: int
    person: int
    company: int
    ends_at: datetime


def sign(claim: Claim) -> str:
    """The token. Anybody can read the numbers in it, nobody can change them."""
    said = [claim.key, claim.person, claim.company, int(claim.ends_at.timestamp())]
    return FORM + Signer(salt=_SALT).sign_object(said)


def read(token: str, *, now: datetime) -> Claim | None:
    """What a token opens; None for one that was not signed here, was changed, or has ended."""
    if not token.startswith(FORM):
        return None
    try:
        key, person, company, ends = Signer(salt=_SALT).unsign_object(token.removeprefix(FORM))
    except (BadSignature, ValueError, TypeError):
        return None
    claim = Claim(key, person, company, datetime.fromtimestamp(ends, UTC))
    return claim if now < claim.ends_at else None
