"""Days told otherwise before, beside answers that count by day what is written down of days."""

from __future__ import annotations

from uptake.web.pages.explore.bar import Bar
from uptake.web.restating import RestatedDays, restated_days
from uptake.web.viewing import viewer_for


def restated_at(bar: Bar) -> RestatedDays | None:
    """The restated days of the period. None where nothing is written down of what is counted: any activity of the whole
    place is, by day; narrowed figures are not."""
    narrowed = bar.where or bar.source or bar.by or bar.segment or any(bar.request.GET.getlist("event"))
    if bar.every != "day" or narrowed:
        return None
    return restated_days(bar.request, viewer_for(bar.request), bar.place, bar.chosen.period)
