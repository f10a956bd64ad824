"""The meter that goes first where silence is told: of which companies the data is there, and of which it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import ngettext

from uptake.insight.metrics.coverage import Alive, Covered

SHOWN = 12


@dataclass(frozen=True)
class Meter:
    """Every source of every company at a place; shown by parts/meter.html."""

    covered: Sequence[Covered]

    def of(self, state: Alive) -> int:
        return sum(one.state == state for one in self.covered)

    @property
    def fine(self) -> int:
        return self.of(Alive.FINE)

    @property
    def troubled(self) -> list[Covered]:
        """What is not fine, the worst first; shortened."""
        return [one for one in self.covered if one.state != Alive.FINE][:SHOWN]

    @property
    def rest(self) -> list[Covered]:
        """All others."""
        shown = self.troubled
        return [one for one in self.covered if one not in shown]

    @property
    def whole(self) -> bool:
        return self.fine == len(self.covered)

    @property
    def sentence(self) -> str:
        """How many of the sources deliver."""
        said = ngettext(
            "%(fine)s of %(n)s source delivers as usual.", "%(fine)s of %(n)s sources deliver as usual.",
            len(self.covered),
        )  # fmt: skip
        return said % {"fine": self.fine, "n": len(self.covered)}
