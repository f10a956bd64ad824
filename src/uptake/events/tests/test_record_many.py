"""Many happenings at once: PostgreSQL takes them by COPY, and nobody can tell the difference."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import Identity, Person
from uptake.directory.scope import EVERYTHING
from uptake.events import record as door
from uptake.events.models import Conflict, Event, Quarantine
from uptake.events.record import record
from uptake.events.tests.world import batch_of, connection_of, said
from uptake.events.withdraw import withdraw

pytestmark = pytest.mark.django_db

ODD = "tab\tnew\nline\r back\\slash \\N \"quote\" 'one' {brace,} 漢字"
COLUMNS = (
    *("source", "key", "revision", "fingerprint", "name", "identity__external_id", "company_id", "happened_at"),
    *("received_at", "business_date", "tzdb", "object", "facts", "history_only"),
)


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MANY", 2)
    monkeypatch.setattr(door, "ASKED", 1)  # the first key in order


def fates(rows: list[Any], connection: Any, **more: Any) -> Counter[str]:
    return Counter(one.fate for one in record(rows, connection=connection, now=NOW, **more))


def test_what_is_stored_is_what_few_at_once_would_store(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        said("plain", person="lin", object="SO-1", facts={"n": 1.5, "note": ODD}),
        said(ODD, event=f"a {ODD}", person=ODD, object=ODD, facts={ODD: ODD}, revision=3),
        said("nobody", history_only=True),
        said("\\N", object="\\N"),
        said("plain", person="lin", object="SO-1", facts={"n": 1.5, "note": ODD}),
        said("plain", facts={"n": 2}),
    ]
    many = connection_of(cast.beiyuan, "many")
    assert fates(rows, many) == {"new": 4, "replayed": 1, "conflict": 1}
    monkeypatch.setattr(door, "MANY", 1000)
    few = connection_of(cast.beiyuan, "few")
    assert fates(rows, few) == {"new": 4, "replayed": 1, "conflict": 1}
    stored = {
        slug: [row[1:] for row in Event.objects.filter(source=slug).order_by("key").values_list(*COLUMNS)]
        for slug in ("many", "few")
    }
    assert stored["many"] == stored["few"]
    assert len(stored["many"]) == 4
    assert Conflict.objects.count() == 2


def test_a_key_that_is_held_among_new_ones_changes_nothing_of_them(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    assert fates([said("k5", person="p1"), said("k7", facts={"n": 1})], erp) == {"new": 2}
    people = Person.objects.count()
    rows = [said(f"k{n}", person=f"p{n % 3}", facts={"n": 2} if n == 7 else {}) for n in range(10)]
    rows[5] = said("k5", person="p1")
    told = record(rows, connection=erp, now=NOW, make_people=True)
    assert Counter(one.fate for one in told) == {"new": 8, "replayed": 1, "conflict": 1}
    stored = dict(Event.objects.values_list("key", "pk"))
    assert [one.event_id for one in told] == [stored[f"k{n}"] for n in range(10)]
    assert Identity.objects.filter(source="erp").count() == 3
    assert Person.objects.count() == people + 3
    assert fates(rows, erp) == {"replayed": 9, "conflict": 1}
    assert Event.objects.count() == 10


def test_an_undone_import_can_be_imported_again(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    rows = [said(f"k{n}") for n in range(4)]
    first = batch_of(erp)
    assert fates(rows[1:], erp, batch=first) == {"new": 3}
    withdraw(batch=first, by=EVERYTHING, now=NOW)
    assert fates(rows, erp, batch=batch_of(erp)) == {"new": 4}
    assert sorted(Event.objects.values_list("key", "revision")) == [
        *(("k0", 1), ("k1", 1), ("k1", 2), ("k2", 1), ("k2", 2), ("k3", 1), ("k3", 2))
    ]


def test_what_must_wait_waits(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    rows = [said("old", at=NOW.replace(year=2020)), said("new")]
    assert fates(rows, erp) == {"quarantined": 1, "new": 1}
    assert Quarantine.objects.get().event.key == "old"
