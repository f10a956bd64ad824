"""`ledger verify` folds the record again: an award that the record does not say is found, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.cast import NOW, Cast
from uptake.events.models import Correction, CorrectionKind, Event
from uptake.programme import verify_again
from uptake.programme.models import Award, KeptFold
from uptake.programme.tests.world import RULES, Desk
from uptake.programme.verify_again import problems_of

pytestmark = pytest.mark.django_db(transaction=True)

PLAIN: list[dict[str, Any]] = RULES
LOOKING_BACK: list[dict[str, Any]] = [
    *RULES,
    {
        "rule": "again", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 3,
        "when": [{"history": "count", "op": "gte", "value": 2}],
    },
]  # fmt: skip


def played(cast: Cast, rules: list[dict[str, Any]]) -> Desk:
    """Orders of two people over three days, the earlier ones told later."""
    desk = Desk(cast, rules)
    for number, hours in enumerate((50, 3, 1, 30, 2, 49, 4, 26)):
        at = NOW - timedelta(hours=hours)
        desk.processed(f"o{number}", at, who=("lin", "hua")[number % 2], lines=20 + number, now=NOW)
    return desk


def facts_changed() -> None:
    """As somebody with the password of the database could."""
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if postgresql:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("""UPDATE events_event SET facts = '{"lines": 1}' WHERE key = 'o3'""")
            cursor.execute("SET session_replication_role = origin")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'events_event'")
        kept = cursor.fetchall()
        for name, _ in kept:
            cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute("""UPDATE events_event SET facts = '{"lines": 1}' WHERE key = 'o3'""")
        for _, sql in kept:
            cursor.execute(sql)


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "points": (lambda: Award.objects.filter(event__key="o4").update(points=99), "is 99 points"),
    "a reason": (lambda: Award.objects.filter(event__key="o4").update(reasons=["late"]), "points ['late'], folded"),
    "an event that was changed": (facts_changed, "folded again it is 1 points"),
}


@pytest.mark.parametrize("rules", [PLAIN, LOOKING_BACK], ids=["dates", "looking back"])
@pytest.mark.parametrize("what", WRONG)
def test_what_the_record_does_not_say_is_found(cast: Cast, rules: list[dict[str, Any]], what: str) -> None:
    played(cast, rules)
    assert problems_of(cast.beiyuan.pk) == []
    spoil, sentence = WRONG[what]
    spoil()
    KeptFold.objects.all().delete()
    found = problems_of(cast.beiyuan.pk)
    assert {one.invariant for one in found} == {"I13"}
    assert any(sentence in one.what for one in found), found


def test_what_still_waits_is_no_difference(cast: Cast) -> None:
    desk = played(cast, LOOKING_BACK)
    desk.processed("new", NOW - timedelta(hours=60), consider=False)
    assert problems_of(cast.beiyuan.pk) == []
    Correction.objects.create(kind=CorrectionKind.MOVED, person_id_was=cast.lin.pk, at=NOW)
    Award.objects.filter(event__key="o4").update(reasons=["late"])
    assert problems_of(cast.beiyuan.pk) == []
    desk.consider()
    assert Event.objects.get(key="new").awards.exists()
    assert problems_of(cast.beiyuan.pk) == []


def test_where_there_are_many_books_each_has_fewer_people_but_never_none(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(cast, PLAIN)
    for most, asked in ((300, 2), (1, 2)):
        monkeypatch.setattr(verify_again, "MOST_PEOPLE", most)
        assert len(verify_again.chosen_of(cast.beiyuan.pk, "head")) == asked
    monkeypatch.setattr(verify_again, "FEWEST", 1)
    monkeypatch.setattr(verify_again, "OTHERS", 0)
    assert len(verify_again.chosen_of(cast.beiyuan.pk, "head")) == 1
