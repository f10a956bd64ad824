"""Behaviour beside the work behind it, place by place: how much each changed since the start. It describes.

A department is a point where at least ten people belong to it; smaller ones of one company and side are put together,
and left out where even together they are fewer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from uptake.statistics.panel import Panel
from uptake.statistics.result import rounded

FEWEST = 10
"""People of a point."""


def side_by_side(behaviour: Panel, outcome: Panel) -> list[dict[str, Any]]:
    """[{"units": slugs, "company", "began", "people", "behaviour", "outcome"}]: changes in each metric's unit, the mean
    since the start less the mean before; of those that wait since the first start anywhere. Both panels have the same
    starts; what is known of one metric only is left out.
    """
    rows = [name for name in behaviour.units if name in outcome.units]
    ours, theirs = ([panel.units.index(name) for name in rows] for panel in (behaviour, outcome))
    began = behaviour.ever[ours]
    heads = np.where(behaviour.known, behaviour.headcount, 0.0).max(axis=1)[ours]
    groups: dict[tuple[str, bool, str], list[int]] = defaultdict(list)
    for at, name in enumerate(rows):
        company = behaviour.company[ours[at]] if behaviour.company else ""
        groups[company, bool(began[at]), name if heads[at] >= FEWEST else ""].append(at)
    found = []
    for (company, began_, _name), members in sorted(groups.items()):
        people = int(heads[members].sum())
        changes = [
            _change(panel, [where[at] for at in members], began_)
            for panel, where in ((behaviour, ours), (outcome, theirs))
        ]
        if people >= FEWEST and all(change is not None for change in changes):
            named = {"units": [rows[at] for at in members], "company": company, "began": began_, "people": people}
            found.append({**named, "behaviour": rounded(changes[0] or 0.0), "outcome": rounded(changes[1] or 0.0)})
    return found


def _change(panel: Panel, rows: Sequence[int], began: bool) -> float | None:
    """By heads over the rows; None where it is not known both before and after."""
    part = panel.keep(np.array(rows, dtype=np.int64))
    after = part.under if began else np.broadcast_to(np.arange(panel.never) >= panel.first, part.known.shape)
    weights = np.where(part.known, part.headcount, 0.0)
    values = np.where(part.known, part.outcome, 0.0)
    sides = [float((weights * side).sum()) for side in (after, ~after)]
    if min(sides) <= 0:
        return None
    late, early = (
        float((values * weights * side).sum()) / total for side, total in zip((after, ~after), sides, strict=True)
    )
    return late - early
