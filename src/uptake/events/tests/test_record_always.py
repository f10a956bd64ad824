"""What must hold whatever is sent, however often and in whatever order."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import NOW, Cast
from uptake.basics.business_day import Clock, business_date
from uptake.basics.canonical import canonical_json, fingerprint
from uptake.events.content import Unusable, content_of, contents_of, facts_text, sent_content
from uptake.events.dates import Dates
from uptake.events.happening import Happening
from uptake.events.models import Event
from uptake.events.record import record
from uptake.events.tests.world import connection_of

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**39), 10**39)
    | st.floats(-1e30, 1e30, allow_subnormal=False)
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=9)
    | st.text(max_size=20)
)
FACTS = st.dictionaries(
    st.text(max_size=10), st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5), max_size=5
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)
HAPPENINGS = st.builds(
    Happening,
    event=TEXTS,
    key=TEXTS,
    at=st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()),
    person=st.none() | TEXTS,
    object=st.just("") | TEXTS,
    facts=FACTS,
    history_only=st.booleans(),
)


@given(FACTS)
def test_facts_are_written_canonically_the_quick_way_too(facts: dict[str, Any]) -> None:
    try:
        written = facts_text(facts)
    except Unusable:
        return
    assert written.encode() == canonical_json(facts)


@given(HAPPENINGS)
def test_the_fingerprint_is_that_of_the_content_said(happening: Happening) -> None:
    try:
        content = content_of(happening)
    except Unusable:
        return
    assert content.fingerprint == fingerprint(sent_content(happening))


ODD_TEXTS = st.sampled_from(["", " ", "x\0", "\ud800", "\u3000", "x" * 201, "x" * 256, None, 7, "E01", "采购.订单"])
ODD_HAPPENINGS = st.builds(
    Happening,
    event=ODD_TEXTS,
    key=ODD_TEXTS,
    at=st.sampled_from([datetime(2026, 5, 4), datetime(1, 1, 1, tzinfo=UTC), NOW, None]),
    person=ODD_TEXTS,
    object=ODD_TEXTS,
    facts=st.sampled_from([{}, {"a": 1}, {"a": float("nan")}, {"a": "\0"}, {"a": Decimal("1.50")}, 7]),
    company=ODD_TEXTS,
    revision=st.sampled_from([1, 2, 0, True, "1"]),
    history_only=st.booleans(),
    person_email=ODD_TEXTS,
)


@given(st.lists(HAPPENINGS | ODD_HAPPENINGS, max_size=6))
def test_many_at_once_have_the_contents_they_have_one_by_one(happenings: list[Happening]) -> None:
    for happening, content in zip(happenings, contents_of(happenings), strict=True):
        if content is not None:
            assert content == content_of(happening)


@given(st.lists(HAPPENINGS, max_size=6))
def test_plain_ones_are_settled_together(happenings: list[Happening]) -> None:
    plain = [
        replace(one, event="order.made", key="k", person="E01", object="BY-1", facts={"n": 1}) for one in happenings
    ]
    assert None not in contents_of(plain)


@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "America/Sao_Paulo", "UTC"]),
    st.times(),
)
def test_dates_are_those_of_the_business_day(at: datetime, zone: str, day_start: time) -> None:
    dates = Dates(Clock.steady(zone, day_start))
    for moment in (at, at + timedelta(hours=7), at):
        assert dates.of(moment) == business_date(moment, zone, day_start)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9))
def test_shuffled_repeated_and_cut_into_batches_the_record_is_the_same(cast: Cast, seed: int) -> None:
    dice = random.Random(seed)
    slug = f"s{seed}-{dice.random()}".replace(".", "")
    erp = connection_of(cast.park, slug)
    said = [
        Happening(
            event=f"e{dice.randrange(3)}",
            key=f"k{dice.randrange(12)}",
            at=NOW - timedelta(minutes=dice.randrange(20_000)),
            person=dice.choice([None, "a", "b"]),
            facts={"n": dice.choice([1, 1.0, 2, Decimal("2.50")])},
            revision=dice.choice([1, 1, 1, 2]),
            company=dice.choice([None, "beiyuan", "elsewhere"]),
        )
        for _ in range(30)
    ]
    first: dict[tuple[str, int], str] = {}
    queue = [one for one in said for _ in range(dice.randint(1, 3))]
    dice.shuffle(queue)
    while queue:
        cut = dice.randint(1, 10)
        part, queue = queue[:cut], queue[cut:]
        for happening, fate in zip(part, record(part, connection=erp, now=NOW), strict=True):
            place = (happening.key, happening.revision)
            mine = fingerprint(sent_content(happening))
            if happening.company == "elsewhere":
                assert fate.fate == "rejected"
            elif place not in first:
                assert fate.fate in {"new", "quarantined"}
                first[place] = mine
            else:
                assert fate.fate == ("replayed" if first[place] == mine else "conflict")
    stored = Event.objects.filter(source=slug)
    assert {(one.key, one.revision): one.fingerprint for one in stored} == first
    assert stored.count() == len(first)
