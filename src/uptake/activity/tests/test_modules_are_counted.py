"""Who used which group of events at which place agrees with counting by hand."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from uptake.activity.summaries.modules import modules
from uptake.activity.tests.test_pages_read_summaries import Row, common, counted, day, events, log_of, persons

GROUPS = {"open": "access", "order.processed": "orders", "never": "stock"}


@common
@given(events, st.integers(0, 20), st.integers(0, 7), st.booleans())
def test_people_by_place_and_group(tmp_path: Path, rows: list[Row], low: int, length: int, inside: bool) -> None:
    listed, within = ([11, 12], 1) if inside else ([1, 2, 9], None)
    found = modules(
        log_of(tmp_path, rows), first=day(low), last=day(low + length), groups=GROUPS, companies=listed, within=within
    )

    assert found.groups == ("access", "orders", "stock")
    assert found.places == tuple(listed)
    for place, people, active in zip(found.places, found.people, found.active, strict=True):
        own = [row for row in counted(rows, low, low + length, within) if row[4 if inside else 2] == place]
        assert active == len(persons(own))
        assert people == tuple(
            len(persons([row for row in own if GROUPS.get(row[3]) == group])) for group in found.groups
        )
