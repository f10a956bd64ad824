"""The park's median beside the answer of a place: asked for in the address, told of no single company."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from uptake.activity.question import QuestionRefused
from uptake.insight.metrics.peers import Medians, medians_of
from uptake.insight.metrics.usage import staff_of
from uptake.web.pages.explore.bar import Bar
from uptake.web.parts import Series
from uptake.web.remembered import remembered
from uptake.web.usage import untold_at

KEPT_SECONDS = 60


@dataclass(frozen=True)
class Beside:
    """What the middle company of the park has. Rows of None where too few companies make a median."""

    medians: Medians
    staff: int
    """People of the place: figures per head times these are what so many people would come to."""

    def row(self, name: str, own: Sequence[float | None], *, per_head: bool = False) -> list[float | None]:
        """The medians of a row, as long as the place's own; where that is hidden, so is the median: in a small park it
        could be the very same."""
        found = list(self.medians.get(name, ()))
        row = [found[at] if at < len(found) and value is not None else None for at, value in enumerate(own)]
        return [None if one is None else round(one * self.staff, 1) for one in row] if per_head else row

    def series(self, row: Sequence[float | None]) -> list[Series]:
        """The row as a dashed line; none, where there is no median."""
        return [Series(_("Median of the park"), row, "dash", "c6")] if any(one is not None for one in row) else []

    @property
    def told(self) -> bool:
        """Whether there is any median."""
        return any(value is not None for row in self.medians.values() for value in row)

    @property
    def note(self) -> str:
        """How it is reckoned, or why there is none."""
        if not self.told:
            return _("There is no median of the park: it takes at least 5 companies with 5 people each.")
        return _(
            "Median of the park: of its companies with at least 5 people, without those from which no data comes; "
            "counts are of as many people as belong here."
        )


def beside(bar: Bar, asked: Mapping[str, Any]) -> Beside | None:
    """The park's medians for the question, where the address asks for them; None: it does not."""
    if not bar.chosen.beside.on or bar.park is None or bar.by or asked.get("count_by") not in (None, "person"):
        return None
    park, today = bar.park, bar.chosen.period.today

    def read() -> Medians:
        try:
            return medians_of(bar.log, asked, park, today=today, without=untold_at(bar.log, park, today))
        except QuestionRefused:
            return {}

    question = json.dumps({key: value for key, value in asked.items() if key not in ("scope", "compare", "as_of")})
    found = remembered((park.path,), ("medians", question, today), read, seconds=KEPT_SECONDS)
    return Beside(found, staff_of([bar.place], today)[bar.place.pk])
