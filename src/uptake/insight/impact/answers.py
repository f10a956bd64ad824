"""Surveys and ratings: how many of those asked answered, and whether the same people did before and after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from uptake.insight.impact.metrics import Measure, Metric
from uptake.insight.impact.models import departments_of
from uptake.insight.impact.panel_of_departments import belonging, recorded
from uptake.statistics.plan import Survey

ASKED_BY: Mapping[str, str] = {
    "survey.answered": "",
    "csat.answered": "",
    "feedback.rated": "feedback.answered",
    "ticket.rated": "ticket.closed",
}
"""Events in which people say what they think, with the event by which they are asked; empty: everybody is."""


def survey_of(
    starts: Mapping[str, str | None], metric: Metric, *, first: date, start: date, last: date
) -> Survey | None:
    """Of the side of `start` on which fewer answered: people asked and people who did. None for what is no survey.

    The same people: of those who answered on one side, at least half did on the other, both ways.
    """
    if metric.event not in ASKED_BY or metric.measure not in (Measure.MEAN, Measure.YES, Measure.NO):
        return None
    places = departments_of(starts)
    days = (last - first).days + 1
    where = belonging(places, {place.path: number for number, place in enumerate(places)}, first, days)
    _begun, rows = recorded(places, first, last)
    split = (start - first).days
    said, asked = ([set[int](), set[int]()] for _ in range(2))
    for person, row in where.items():
        for side, part in enumerate((row[:split], row[split:])):
            if not ASKED_BY[metric.event] and bool((np.asarray(part) >= 0).any()):
                asked[side].add(person)
    names = [name for name in (metric.event, ASKED_BY[metric.event]) if name]
    chosen = rows.filter(name__in=names).order_by().values_list("name", "identity__person_id", "business_date")
    for name, person, day in chosen.distinct():
        home = where.get(person or 0)
        if home is not None and person is not None and home[(day - first).days] >= 0:
            side = int((day - first).days >= split)
            (said if name == metric.event else asked)[side].add(person)
    both = said[0] & said[1]
    same = bool(both) and 2 * len(both) >= max(len(said[0]), len(said[1]))
    # Whoever answered was asked, also where the asking was not recorded.
    sides = [(len(asked[side] | said[side]), len(said[side])) for side in (0, 1)]
    of, answered = min(sides, key=lambda pair: pair[1] / pair[0] if pair[0] else 0.0)
    return Survey(of, answered, same)
