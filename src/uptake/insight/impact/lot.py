"""Who begins, drawn by lot: the same seed and the same list always give the same answer.

Everybody's ticket is the SHA-256 of the seed, a slash and their key; the lowest tickets begin. So the drawing can be
done again by hand with any tool.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from uptake.basics.canonical import fingerprint
from uptake.statistics.plan import DEPARTMENTS_EACH, PEOPLE_EACH


class Drawing(StrEnum):
    """What is drawn."""

    PERSON = "person"
    DEPARTMENT = "department"


FEWEST = {Drawing.PERSON: PEOPLE_EACH, Drawing.DEPARTMENT: DEPARTMENTS_EACH}
"""On each side."""


@dataclass(frozen=True)
class Lot:
    """What a registration holds of a drawing.

    seed: 32 hexadecimal digits; share: of those drawn from, written as text, who begin; of, begin: how many; sha: of
    who stands on which side; role: people of this work only, empty: everybody; drawn_before: earlier drawings among
    the same departments that were never locked.
    """

    unit: Drawing
    seed: str
    share: str
    of: int
    begin: int
    sha: str
    role: str = ""
    drawn_before: int = 0

    def facts(self) -> dict[str, Any]:
        return {**asdict(self), "unit": self.unit.value}


def lot_of(plan: Mapping[str, Any]) -> Lot | None:
    """The drawing a registration holds; None where nothing was drawn here."""
    told = plan.get("lot")
    return None if told is None else Lot(**{**told, "unit": Drawing(told["unit"])})


def new_seed() -> str:
    return secrets.token_hex(16)


def ticket(seed: str, key: str) -> str:
    return sha256(f"{seed}/{key}".encode()).hexdigest()


def dealt(seed: str, keys: Collection[str], begin: int) -> dict[str, bool]:
    """{key: begins}; `begin` of them do."""
    order = sorted(keys, key=lambda key: (ticket(seed, key), key))
    return {key: at < begin for at, key in enumerate(order)}


def sides_sha(sides: Mapping[str, bool]) -> str:
    """The fingerprint of who stands on which side."""
    return fingerprint({key: int(sides[key]) for key in sorted(sides)})


def begin_of(share: float, of: int) -> int:
    """How many begin where a share of them does."""
    return round(share * of)


def enough(unit: Drawing, of: int, begin: int) -> bool:
    """Whether both sides are large enough to be compared."""
    return min(begin, of - begin) >= FEWEST[unit]
