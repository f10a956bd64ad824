"""Heads are published once a day and found again in the chain; all is verified once a day, and a failure shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.jobs.list import publish_heads, verify_ledger
from uptake.jobs.published_heads import problems_of
from uptake.jobs.whole_ledger import LedgerBroken, verify_everything
from uptake.ledger.models import ChainHead
from uptake.programme.models import Award
from uptake.programme.tests.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


def told(deed: str) -> list[dict[str, Any]]:
    return list(AuditEntry.objects.filter(deed=deed).order_by("pk").values_list("details", flat=True))


def test_heads_are_published_once_a_day(cast: Cast) -> None:
    desk = Desk(cast)
    assert publish_heads(NOW) == 0, "nobody has points yet"
    desk.processed("1")
    assert (publish_heads(NOW), publish_heads(NOW + timedelta(hours=23))) == (1, 0)
    desk.processed("2", NOW + timedelta(minutes=1))
    assert publish_heads(NOW + DAY + timedelta(minutes=1)) == 1
    head = ChainHead.objects.get(book=cast.beiyuan.pk)
    assert [(one["book"], one["seq"]) for one in told("ledger.published")] == [(head.book, 1), (head.book, 2)]
    assert told("ledger.published")[1]["hash"] == head.hash
    assert problems_of(head.book) == []


def test_a_chain_that_was_made_anew_is_found_by_what_was_published(cast: Cast) -> None:
    Desk(cast).processed("1")
    publish_heads(NOW)
    other = "0" * 64
    AuditEntry.objects.create(
        at=NOW + DAY, actor_name="job", deed="ledger.published",
        details={"book": cast.beiyuan.pk, "seq": 1, "hash": other},
    )  # fmt: skip
    AuditEntry.objects.create(
        at=NOW + DAY, actor_name="job", deed="ledger.published",
        details={"book": cast.beiyuan.pk, "seq": 7, "hash": other},
    )  # fmt: skip
    assert [(one.invariant, one.seq) for one in problems_of(cast.beiyuan.pk)] == [("I17", 1), ("I17", 7)]
    assert problems_of(cast.qinghe.pk) == []
    assert not verify_everything(book=cast.beiyuan.pk).holds


def test_everything_is_verified_once_a_day(cast: Cast) -> None:
    Desk(cast).processed("1")
    assert verify_ledger(NOW) == 0, "nothing was published yet"
    publish_heads(NOW)
    assert verify_ledger(NOW + timedelta(hours=23)) == 0
    assert verify_ledger(NOW + DAY) == 1
    assert verify_ledger(NOW + DAY + timedelta(hours=1)) == 0
    assert told("ledger.verified") == [{"books": 1, "transfers": 1, "problems": []}]
    assert verify_ledger(NOW + 2 * DAY) == 1


def test_what_does_not_hold_fails_the_job_until_it_does_and_is_noted_once_a_day(cast: Cast) -> None:
    desk = Desk(cast)
    desk.processed("1")
    publish_heads(NOW)
    Award.objects.update(points=99)
    for hours in (24, 25, 47):
        with pytest.raises(LedgerBroken, match=rf"book {cast.beiyuan.pk}: I13: The award of event"):
            verify_ledger(NOW + timedelta(hours=hours))
    (noted,) = told("ledger.broken")
    assert {one["invariant"] for one in noted["problems"]} >= {"I13", "I21"}
    assert told("ledger.verified") == []
    with pytest.raises(LedgerBroken):
        verify_ledger(NOW + timedelta(hours=49))
    assert len(told("ledger.broken")) == 2
    Award.objects.update(points=10)
    assert verify_ledger(NOW + timedelta(hours=50)) == 1


def test_an_audit_log_of_the_day_cannot_be_changed(cast: Cast) -> None:
    Desk(cast).processed("1")
    publish_heads(NOW)
    with pytest.raises(Exception, match=r"insert-only|audit"), connection.cursor() as cursor:
        cursor.execute("UPDATE directory_auditentry SET details = '{}'")
