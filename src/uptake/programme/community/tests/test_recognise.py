"""Points from one colleague to another: with a reason, within the month's allowance, and not in circles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.events.models import Event
from uptake.ledger.balances import points_of
from uptake.ledger.verify import verify
from uptake.notify.models import Delivery, Message
from uptake.notify.subscribe import make_webhook
from uptake.programme.community.models import Recognition
from uptake.programme.community.recognise import allowance_of, recognise, set_terms
from uptake.programme.community.refusals import (
    AllowanceSpent,
    Conflict,
    NotThere,
    TextWrong,
    TooMutual,
    ToOneself,
    TooOftenToSame,
    WrongPortion,
    WrongTerms,
)
from uptake.programme.community.rings import Given, rings
from uptake.programme.community.suspicious import suspicious_rings

pytestmark = pytest.mark.django_db


def give(cast: Cast, giver: str, receiver: str, points: int = 5, **more: Any) -> Recognition:
    people = cast.people()
    key = more.pop("key", f"{giver}-{receiver}-{Recognition.objects.count()}")
    told = {"text": "Stayed to find the pallet.", "now": NOW, **more}
    by = cast.viewer(people[giver])
    return recognise(company=cast.beiyuan, receiver=people[receiver], points=points, key=key, by=by, **told)


def points(cast: Cast, who: str) -> int:
    owner = str(cast.people()[who].pk)
    return points_of(book=cast.beiyuan.pk, owners=[owner], now=NOW)[owner].available


def test_other_software_hears_of_the_points_and_not_of_the_words(cast: Cast) -> None:
    told: dict[str, Any] = {
        "name": "HR",
        "address": "https://hr.example/",
        "about": ["given"],
        "by": EVERYTHING,
        "now": NOW,
    }
    make_webhook(organization=cast.beiyuan, **told)
    made = give(cast, "lin", "ke", 5)

    heard = Delivery.objects.get()
    assert (heard.kind, heard.person, heard.company) == ("points.recognised", cast.ke, cast.beiyuan)
    assert f'"given":"{made.lot}"' in heard.body
    assert "pallet" not in heard.body


def test_points_are_given_with_the_reason(cast: Cast) -> None:
    made = give(cast, "lin", "ke", 50, key="k")
    again = give(cast, "lin", "ke", 50, key="k")

    assert again == made
    assert points(cast, "ke") == 50
    assert allowance_of(cast.lin.pk, cast.beiyuan, NOW).left == 50
    assert sorted(Event.objects.values_list("name", "identity__person__name")) == [
        ("recognition.given", "Lin Fang"), ("recognition.received", "Ke Ming")
    ]  # fmt: skip
    assert Message.objects.get().person == cast.ke
    assert verify(book=cast.beiyuan.pk).problems == ()


@pytest.mark.parametrize(
    ("giver", "receiver", "told", "refused"),
    [
        ("lin", "lin", {}, ToOneself),
        ("lin", "mo", {}, NotThere),
        ("lin", "ren", {}, NotThere),
        ("mo", "lin", {}, NotAllowed),
        ("ren", "lin", {}, NotAllowed),
        ("lin", "ke", {"points": 4}, WrongPortion),
        ("lin", "ke", {"points": 51}, WrongPortion),
        ("lin", "ke", {"text": "  "}, TextWrong),
        ("lin", "ke", {"text": "x" * 501}, TextWrong),
    ],
)
def test_what_is_refused(cast: Cast, giver: str, receiver: str, told: dict[str, Any], refused: type[Exception]) -> None:
    with pytest.raises(refused):
        give(cast, giver, receiver, **told)
    assert not Recognition.objects.exists()


def test_a_month_has_one_allowance(cast: Cast) -> None:
    give(cast, "lin", "ke", 50)
    give(cast, "lin", "hua", 45)
    with pytest.raises(AllowanceSpent) as refused:
        give(cast, "lin", "hua", 6)
    give(cast, "lin", "hua", 5)

    assert refused.value.left == 5
    assert give(cast, "lin", "ke", 50, now=NOW + timedelta(days=31)).month.month == 6


def test_the_same_person_at_most_three_times_a_month(cast: Cast) -> None:
    for _time in range(3):
        give(cast, "lin", "ke")
    with pytest.raises(TooOftenToSame):
        give(cast, "lin", "ke")


def test_two_do_not_pay_each_other_to_and_fro(cast: Cast) -> None:
    set_terms(company=cast.beiyuan, allowance=100, smallest=5, largest=50, to_same=3, mutual=1,
              by=cast.viewer(cast.ke), now=NOW)  # fmt: skip
    for giver, receiver in (("lin", "ke"), ("ke", "lin"), ("lin", "ke")):
        give(cast, giver, receiver)
    with pytest.raises(TooMutual):
        give(cast, "ke", "lin")
    give(cast, "ke", "hua")


def test_a_key_gives_once(cast: Cast) -> None:
    give(cast, "lin", "ke", key="k")
    with pytest.raises(Conflict):
        give(cast, "lin", "hua", key="k")


def test_the_committee_sets_the_terms(cast: Cast) -> None:
    told: dict[str, Any] = {"smallest": 1, "largest": 10, "to_same": 3, "mutual": 2, "now": NOW}
    with pytest.raises(NotAllowed):
        set_terms(company=cast.beiyuan, allowance=20, by=cast.viewer(cast.hua), **told)
    with pytest.raises(WrongTerms):
        set_terms(company=cast.beiyuan, allowance=20, by=cast.viewer(cast.ke), **{**told, "largest": 0})
    set_terms(company=cast.beiyuan, allowance=20, by=cast.viewer(cast.ke), **told)

    with pytest.raises(WrongPortion):
        give(cast, "lin", "ke", 11)
    assert allowance_of(cast.lin.pk, cast.beiyuan, NOW).left == 20


def test_circles_are_seen(cast: Cast) -> None:
    for month in range(2):
        for giver, receiver in (("lin", "ke"), ("ke", "hua"), ("hua", "lin")):
            give(cast, giver, receiver, 20, now=NOW + timedelta(days=31 * month))

    (ring,) = suspicious_rings(cast.beiyuan, NOW + timedelta(days=32))
    assert (set(ring.people), ring.points, ring.share) == ({cast.lin.pk, cast.ke.pk, cast.hua.pk}, 120, 1.0)
    assert suspicious_rings(cast.beiyuan, NOW + timedelta(days=365)) == []


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({(1, 2): (10, 2), (2, 1): (10, 2)}, [((1, 2), 20, 1.0)]),
        ({(1, 2): (10, 1), (2, 1): (10, 2)}, []),
        ({(1, 2): (10, 2), (2, 1): (10, 2), (1, 3): (50, 1)}, []),
        ({(1, 2): (10, 2), (2, 3): (10, 2), (3, 1): (10, 2)}, [((1, 2, 3), 30, 1.0)]),
        ({(1, 3): (10, 2), (3, 2): (10, 2), (2, 1): (10, 2)}, [((1, 3, 2), 30, 1.0)]),
        ({(1, 2): (10, 2), (2, 3): (10, 2)}, []),
        ({(1, 2): (9, 2), (2, 1): (9, 2), (2, 3): (1, 2), (3, 1): (1, 2)}, [((1, 2), 18, 18 / 19)]),
    ],
)
def test_what_is_a_ring(
    given: dict[tuple[int, int], tuple[int, int]], found: list[tuple[tuple[int, ...], int, float]]
) -> None:
    told = rings({pair: Given(*one) for pair, one in given.items()})

    assert [(ring.people, ring.points, ring.share) for ring in told] == found
