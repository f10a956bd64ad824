"""Did another decide, and did an upheld appeal give what it says? I20 and I12 of the appeals of a book."""

from __future__ import annotations

from django.db.models import F

from uptake.ledger.models import Entry, Kind
from uptake.ledger.verify import MOST_PROBLEMS, Problem
from uptake.programme.governance.models import Appeal


def problems_of(book: int) -> list[Problem]:
    """Appeals decided by whose points they are about, and those whose entry is missing or of other points."""
    appeals = Appeal.objects.filter(company_id=book)
    own = appeals.filter(decided_by=F("person")).values_list("pk", flat=True)[:MOST_PROBLEMS]
    found = [Problem(book, "I20", None, f"Appeal {key} was decided by whom it is about") for key in own]
    gave = {f"appeal/{key}/grant": points for key, points in appeals.filter(points__gt=0).values_list("pk", "points")}
    rows = Entry.objects.filter(book=book, kind=Kind.GRANTED, key__gte="appeal/", key__lt="appeal0")
    there = dict(rows.values_list("key", "points"))
    found += [
        Problem(book, "I12", None, f"Entry {key} is of {there.get(key, 0)} points, its appeal gave {gave.get(key, 0)}")
        for key in sorted({*gave, *there})
        if gave.get(key) != there.get(key)
    ][:MOST_PROBLEMS]
    return found
