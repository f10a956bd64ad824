"""The rank of one person on one board, without reading the board."""

from __future__ import annotations

from datetime import date

from django.db.models import Sum

from uptake.programme.merits.models import BAND, Band, Score


def rank_on(place: int, period: str, starts: date, person: int) -> int | None:
    """1 for the first, ties alike; None: not on it. The caller has made sure that the board may be read."""
    rows = Score.objects.filter(place_id=place, period=period, starts=starts, shown__gt=0)
    points = next(iter(rows.filter(person_id=person).values_list("shown", flat=True)), None)
    if points is None:
        return None
    band = points // BAND
    bands = Band.objects.filter(place_id=place, period=period, starts=starts, number__gt=band)
    above: int = bands.aggregate(sum=Sum("people", default=0))["sum"]
    return above + rows.filter(shown__gt=points, shown__lt=(band + 1) * BAND).count() + 1
