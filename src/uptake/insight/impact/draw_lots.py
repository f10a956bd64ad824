"""Draws by lot who begins, when something is registered: departments, or the people of departments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from uptake.directory.models import Organization
from uptake.insight.impact.lot import Drawing, Lot, begin_of, dealt, enough, new_seed, sides_sha
from uptake.insight.impact.models import Intervention
from uptake.insight.impact.refusals import TooFewToDraw, WrongSize

if TYPE_CHECKING:
    from uptake.insight.impact.drawn_people import Member

LONGEST_ROLE = 100


@dataclass(frozen=True)
class Draw:
    """What is asked for. share: of those drawn from, above 0 and under 1, who begin on `start`; role: people only.

    seed: left empty wherever somebody draws, so that nobody can choose it; given where the same must come out again.
    """

    unit: Drawing
    start: date
    share: float
    role: str = ""
    seed: str = ""


@dataclass(frozen=True)
class Drawn:
    """What came out. starts: as a registration holds them; members, begins: where people were drawn."""

    lot: Lot
    starts: Mapping[str, date | None]
    members: Sequence[Member] = ()
    begins: Mapping[int, bool] | None = None


def drawn_by(draw: Draw, places: Sequence[Organization], today: date) -> Drawn:
    """Raises WrongSize or TooFewToDraw."""
    if not 0 < draw.share < 1:
        raise WrongSize
    seed = draw.seed or new_seed()
    share = f"{draw.share:.4f}".rstrip("0")
    before = _drawn_before(draw.unit, {place.slug for place in places})
    if draw.unit is Drawing.DEPARTMENT:
        begin = begin_of(draw.share, len(places))
        if not enough(draw.unit, len(places), begin):
            raise TooFewToDraw
        sides = dealt(seed, [place.slug for place in places], begin)
        lot = Lot(draw.unit, seed, share, len(sides), begin, sides_sha(sides), "", before)
        return Drawn(lot, {slug: draw.start if begins else None for slug, begins in sides.items()})
    from uptake.insight.impact.drawn_people import population  # its libraries are loaded where they are needed

    members = population(places, draw.role[:LONGEST_ROLE], today)
    begin = begin_of(draw.share, len(members))
    if not enough(draw.unit, len(members), begin):
        raise TooFewToDraw
    sides = dealt(seed, [str(one.person) for one in members], begin)
    lot = Lot(draw.unit, seed, share, len(sides), begin, sides_sha(sides), draw.role[:LONGEST_ROLE], before)
    starts: dict[str, date | None] = dict.fromkeys((place.slug for place in places), draw.start)
    return Drawn(lot, starts, members, {one.person: sides[str(one.person)] for one in members})


def _drawn_before(unit: Drawing, slugs: set[str]) -> int:
    """Drawings of the same kind among some of these departments that were never locked: a lot drawn until it pleases
    would show here."""
    left = Intervention.objects.filter(locked_at__isnull=True, plan__lot__unit=unit.value)
    return sum(1 for starts in left.values_list("starts", flat=True) if slugs & starts.keys())
