"""What the entries of the ledger are called on the pages of points."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext

from uptake.ledger.models import Kind
from uptake.programme.governance.appeal import COUNTED

BY_AWARDS: Final = "award/"
"""Keys of entries that an award brought about begin so; what it gave stands in the list as the award itself."""


def what_of(entry_kind: str, kind: str) -> str:
    """What an entry is called: by its kind and by what caused it (`challenge`, `prize`, …)."""
    if entry_kind == Kind.GRANTED:
        if kind == "special":
            return gettext("Special points")
        if kind == "recognition":
            return gettext("Recognition by a colleague")
        if kind == "appeal":
            return gettext("Appeal upheld")
        if kind == "retroactive":
            return gettext("Points given afterwards")
        if kind == "challenge":
            return gettext("Prize of a challenge")
        if kind == "prize":
            return gettext("Prize of a ranking")
    if kind == "gaming":
        if entry_kind == Kind.HELD:
            return gettext("On hold while people look at it")
        if entry_kind == Kind.RELEASED:
            return gettext("Given back after a review")
        if entry_kind == Kind.FORFEITED:
            return gettext("Taken after a review")
        if entry_kind == COUNTED:
            return gettext("Counts no more after a review")
    return str(Kind(entry_kind).label) if entry_kind in Kind.values else ""
