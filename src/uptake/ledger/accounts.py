"""The codes of accounts: the ledger's whole world. Who a person is, the ledger does not know."""

from __future__ import annotations

from functools import lru_cache

ISSUED = "programme/issued"
"""Where points come from; the only account that may be below zero. Its balance is derived, its row never touched."""
REDEEMED = "programme/redeemed"
EXPIRED = "programme/expired"
FORFEITED = "programme/forfeited"

PENDING = "pending"
AVAILABLE = "available"
HELD = "held"
DEBT = "debt"


def person(owner: str, part: str) -> str:
    """The account of a person: `part` is pending, available, held or debt."""
    return f"person/{owner}/{part}"


def budget(place: int) -> str:
    """The account of the budget of a department, or of a company's own."""
    return f"budget/{place}"


def escrow(challenge: int) -> str:
    """The account in which the prizes of a challenge wait."""
    return f"escrow/{challenge}"


def owner_of(code: str) -> str | None:
    """The person an account belongs to; None for an account of the programme, a budget or an escrow."""
    return code[7:].rsplit("/", 1)[0] if code.startswith("person/") else None


@lru_cache(maxsize=16384)
def place_of(code: str) -> str:
    """Where points of a lot are on this account: pending, available, held, debt, redeemed, expired or outside."""
    if code.startswith("person/"):
        return code.rsplit("/", 1)[1]
    if code == REDEEMED:
        return "redeemed"
    if code == EXPIRED:
        return "expired"
    return "outside"
