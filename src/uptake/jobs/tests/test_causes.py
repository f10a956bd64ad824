"""An entry whose cause is not there, or that says other points than its cause, is found by `ledger verify`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cast import NOW, Cast
from uptake.jobs.causes import problems_of
from uptake.ledger.grant import Grant, grant
from uptake.programme.community.models import Recognition
from uptake.programme.community.recognise import recognise
from uptake.programme.rewards.fund_budget import fund_budget
from uptake.programme.rewards.grant_special import grant_special
from uptake.programme.rewards.models import SpecialGrant
from uptake.programme.tests.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def story(cast: Cast) -> Cast:
    """An order, a budget, special points from it, and a thank-you."""
    Desk(cast).processed("1")
    fund_budget(department=cast.purchasing, points=100, key="b", by=cast.viewer(cast.ren), now=NOW)
    grant_special(
        person=cast.lin, department=cast.purchasing, points=30, reason="Fair stand", key="s",
        by=cast.viewer(cast.hua), approved_by=cast.viewer(cast.an), now=NOW,
    )  # fmt: skip
    recognise(
        company=cast.beiyuan, receiver=cast.lin, points=5, text="Stayed to find the pallet.", key="r",
        by=cast.viewer(cast.hua), now=NOW,
    )  # fmt: skip
    return cast


def smuggled(cast: Cast, key: str, cause: str) -> None:
    """A grant that is right in the eyes of the ledger, which knows nothing of causes."""
    one = Grant(
        book=cast.beiyuan.pk, key=key, lot=key, owner=str(cast.lin.pk), points=9, cause=cause, happened_at=NOW,
        event_key=key, available_from=NOW, last_date=None, expires_at=None,
    )  # fmt: skip
    grant([one], now=NOW)


def test_what_came_about_honestly_is_silent(story: Cast) -> None:
    assert problems_of(story.beiyuan.pk) == []
    assert problems_of(story.qinghe.pk) == []


WRONG: dict[str, tuple[Callable[[Cast], object], str]] = {
    "an event that never was": (
        lambda cast: smuggled(cast, "award/999999/orders/1", "event/999999"),
        "Entry award/999999/orders/1 names event/999999, which is not in the record",
    ),
    "special points nobody asked for": (
        lambda cast: smuggled(cast, "special/777", "special/777"),
        "Entries name special/777 as their cause, which is not there",
    ),
    "a sort of cause nobody knows": (
        lambda cast: smuggled(cast, "gift/1", "gift/1"),
        "Entries name gift/1 as their cause, which is not there",
    ),
    "special points of another sum": (
        lambda _cast: SpecialGrant.objects.update(points=31),
        "says (31, '{lin}') (points, person), the ledger (30, '{lin}')",
    ),
    "special points that were never approved": (
        lambda _cast: SpecialGrant.objects.update(state="rejected"),
        "says None (points, person), the ledger (30, '{lin}')",
    ),
    "a thank-you of another": (
        lambda cast: Recognition.objects.update(receiver=cast.ke),
        "says (5, '{ke}') (points, person), the ledger (5, '{lin}')",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_entry_without_its_cause_is_found(story: Cast, what: str) -> None:
    spoil, sentence = WRONG[what]
    spoil(story)
    found = problems_of(story.beiyuan.pk)
    assert {one.invariant for one in found} == {"I12"}
    assert any(sentence.format(lin=story.lin.pk, ke=story.ke.pk) in one.what for one in found), found
