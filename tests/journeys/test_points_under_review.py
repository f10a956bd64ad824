"""Points that look farmed: found, on hold, looked at by two people, given back or taken, with the way to appeal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from tests.cast import NOW, TODAY, Cast, login, person
from uptake.directory.audit import note
from uptake.directory.models import Identity, Person
from uptake.directory.scope import NotAllowed, Viewer
from uptake.events.happening import Happening
from uptake.events.models import Event
from uptake.events.record import record
from uptake.insight.gaming.decide import give_opinion
from uptake.insight.gaming.find import find_due, find_signs
from uptake.insight.gaming.models import Finding, Opinion, Outcome, Verdict
from uptake.insight.gaming.record_of import flagged, records
from uptake.insight.gaming.refusals import AlreadyDecided, NoReason, SecondPersonNeeded
from uptake.ledger.balances import Points, points_of
from uptake.ledger.grant import Grant, grant
from uptake.ledger.models import Resolution
from uptake.ledger.verify import verify
from uptake.notify.models import Message
from uptake.programme.community.models import Recognition
from uptake.programme.community.recognise import recognise, set_terms
from uptake.programme.models import Award
from uptake.programme.tests.world import Desk
from uptake.web.pages.gaming.follows import FOLLOWS

pytestmark = pytest.mark.django_db(transaction=True)
LAST = TODAY - timedelta(days=1)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def farmed(cast: Cast) -> Cast:
    return farm(cast)


def farm(cast: Cast, **rulebook: Any) -> Cast:
    """Lin handles the same order eight times an afternoon on two days, among ten who work plainly."""
    desk = Desk(cast, **rulebook)
    told = []
    for nth in range(10):
        who = person(name=f"P{nth}", at=cast.purchasing, email=f"p{nth}@beiyuan.example")
        Identity.objects.create(
            source="orders", external_id=f"p{nth}", company=cast.beiyuan, person=who, first_seen_at=NOW
        )
        told += [
            Happening(
                "order.processed", f"p{nth}/{turn}", NOW - timedelta(days=1, minutes=7 * turn * turn), f"p{nth}",
                f"BY-{nth}-{turn}", {"lines": 1 + turn},
            )
            for turn in range(5)
        ]  # fmt: skip
    told += [
        Happening(
            "order.processed", f"again/{day}/{turn}", NOW - timedelta(days=day, minutes=11 * turn * turn),
            cast.identities["lin"].external_id, f"BY-4500-{day}", {"lines": 2},
        )
        for day in (1, 2)
        for turn in range(8)
    ]  # fmt: skip
    record(told, connection=desk.connection, now=NOW)
    desk.consider()
    return cast


def points(cast: Cast) -> Points:
    owner = str(cast.lin.pk)
    return points_of(book=cast.beiyuan.pk, owners=[owner], now=LATER + timedelta(days=1))[owner]


def found(cast: Cast) -> Finding:
    (one,) = find_signs(company=cast.beiyuan, last=LAST, now=LATER)
    return one


def two(cast: Cast) -> tuple[Viewer, Viewer]:
    return cast.viewer(cast.ren), cast.viewer(cast.an)


def test_what_is_found_is_on_hold_and_told_once(farmed: Cast) -> None:
    one = found(farmed)

    assert (one.person_id, one.detector, len(one.events)) == (farmed.lin.pk, "A2", 14)
    assert (one.points, one.held) == (28, 28)
    assert points(farmed) == Points(available=4, held=28)
    assert one.events == sorted(one.events, key=lambda pk: Award.objects.get(event_id=pk).happened_at)
    assert flagged(farmed.beiyuan, LAST, LAST) == set(one.events[7:])
    assert flagged(farmed.qinghe, LAST, LAST) == set()
    assert find_signs(company=farmed.beiyuan, last=LAST, now=LATER) == []
    assert find_due(now=LATER) == 0
    assert [m.kind for m in Message.objects.filter(person=farmed.lin, kind__startswith="gaming")] == ["gaming.held"]
    assert verify().holds


@pytest.mark.parametrize("verdict", [Verdict.NOT, Verdict.UNCLEAR])
def test_one_person_is_enough_to_give_back(farmed: Cast, verdict: Verdict) -> None:
    one = found(farmed)
    ren, an = two(farmed)
    outcome = give_opinion(
        finding=one, verdict=verdict, reason="Counting twice is the rule here", by=ren, follows=FOLLOWS, now=LATER
    )

    assert outcome is not None
    assert outcome.taken == 0
    assert points(farmed) == Points(available=32)
    assert flagged(farmed.beiyuan, LAST, LAST) == set()
    with pytest.raises(AlreadyDecided):
        give_opinion(finding=one, verdict=Verdict.REAL, reason="No", by=an, follows=FOLLOWS, now=LATER)
    assert Resolution.objects.count() == 1
    assert find_signs(company=farmed.beiyuan, last=LAST + timedelta(days=1), now=LATER) == [], "looked at already"
    assert next(r for r in records() if r.detector == "A2").reviewed == (1 if verdict is Verdict.NOT else 0)
    assert verify().holds


def test_two_people_take_what_is_real_and_the_person_may_appeal(farmed: Cast, client: Client) -> None:
    one = found(farmed)
    ren, an = two(farmed)

    assert (
        give_opinion(finding=one, verdict=Verdict.REAL, reason="Same order", by=ren, follows=FOLLOWS, now=LATER) is None
    )
    with pytest.raises(SecondPersonNeeded):
        give_opinion(finding=one, verdict=Verdict.REAL, reason="Again", by=ren, follows=FOLLOWS, now=LATER)
    assert points(farmed).held == 28
    outcome = give_opinion(finding=one, verdict=Verdict.REAL, reason="I see it too", by=an, follows=FOLLOWS, now=LATER)

    assert outcome is not None
    assert outcome.taken == 28
    assert points(farmed) == Points(available=4)
    assert next(r for r in records() if r.detector == "A2").precision == 1
    assert verify().holds
    told = Message.objects.get(person=farmed.lin, kind="gaming.taken")
    farmed.sign_in(farmed.lin, client)
    query = {"entry": told.content["entry"], "company": told.content["company"]}
    assert client.get("/appeals/new/", query).status_code == 200


def test_points_spent_before_are_not_owed(farmed: Cast) -> None:
    from uptake.ledger.hold import hold

    hold(book=farmed.beiyuan.pk, key="reward/1", owner=str(farmed.lin.pk), points=20, cause="redemption/1", now=LATER)
    one = found(farmed)

    assert (one.points, one.held) == (28, 12)
    assert points(farmed) == Points(held=32)


def test_who_may_not_see_events_and_manage_rules_decides_nothing(farmed: Cast) -> None:
    one = found(farmed)
    for who in ("hua", "ke", "mo", "wei", "shu", "lin"):
        by = farmed.viewer(farmed.people()[who])
        with pytest.raises(NotAllowed):
            give_opinion(finding=one, verdict=Verdict.NOT, reason="x", by=by, follows=FOLLOWS, now=LATER)
    with pytest.raises(NoReason):
        give_opinion(
            finding=one, verdict=Verdict.NOT, reason=" ", by=farmed.viewer(farmed.ren), follows=FOLLOWS, now=LATER
        )
    assert not Opinion.objects.exists()


def thank(cast: Cast, giver: Person, receiver: Person, key: str, days: int) -> Recognition:
    return recognise(
        company=cast.beiyuan, receiver=receiver, points=5, text="Thank you", key=key, by=cast.viewer(giver),
        now=NOW - timedelta(days=days),
    )  # fmt: skip


def test_recognition_in_a_ring_is_found_and_its_points_held(cast: Cast) -> None:
    desk = Desk(cast)
    terms = {"allowance": 900, "smallest": 5, "largest": 50, "to_same": 10, "mutual": 10}
    set_terms(company=cast.beiyuan, by=cast.viewer(cast.ren), now=NOW - timedelta(days=80), **terms)
    crowd = [person(name=f"P{nth}", at=cast.purchasing, email=f"p{nth}@beiyuan.example") for nth in range(16)]
    for nth, one in enumerate(crowd):
        login(one, f"p{nth}")
    first, second = crowd[:2]
    for nth, one in enumerate(crowd):
        thank(cast, one, crowd[(nth + 3) % 16], f"once/{nth}", 30 + nth)
    for turn in range(9):
        thank(cast, first, second, f"there/{turn}", 3 + 4 * turn)
        thank(cast, second, first, f"back/{turn}", 2 + 4 * turn)
    desk.consider()

    signs = find_signs(company=cast.beiyuan, last=LAST, now=LATER)

    assert {(one.detector, one.person_id, one.points, one.held) for one in signs} == {
        ("R", first.pk, 45, 45), ("R", second.pk, 45, 45)
    }  # fmt: skip
    assert signs[0].first == LAST - timedelta(days=83)
    assert len(signs[0].events) == 9
    assert verify().holds
    address = f"/gaming/{next(one.pk for one in signs if one.person_id == first.pk)}/"
    assert cast.sign_in(cast.ren).get(address).content.decode().count("P1: “Thank you”") == 9
    audited = cast.sign_in(cast.shu).get(address).content.decode()
    assert "Thank you" not in audited, "what colleagues write to each other is read by who may read the community"
    assert audited.count("points: 5") == 9


def test_special_points_for_those_who_recognise_one_are_found(cast: Cast) -> None:
    set_terms(
        company=cast.beiyuan, allowance=900, smallest=5, largest=50, to_same=10, mutual=10, by=cast.viewer(cast.ren),
        now=NOW - timedelta(days=80),
    )  # fmt: skip
    for turn in range(2):
        thank(cast, cast.lin, cast.hua, f"there/{turn}", 3 + turn)
    for who, by in ((cast.lin, cast.hua), (cast.an, cast.hua)):
        note(
            deed="special.approved", actor=cast.viewer(by), organization=cast.beiyuan, subject="#1",
            details={"special": 1, "person": who.pk, "points": 50}, now=NOW - timedelta(days=9),
        )  # fmt: skip

    (one,) = find_signs(company=cast.beiyuan, last=LAST, now=LATER)

    assert (one.detector, one.person_id, one.points) == ("S", cast.hua.pk, 10)
    assert one.numbers == {"people": 1, "approved": 1, "received": 2}


@pytest.mark.parametrize(("worked_more", "found"), [(False, ["H"]), (True, [])])
def test_points_that_rise_without_more_work_are_found(cast: Cast, worked_more: bool, found: list[str]) -> None:
    """Ten people are paid for twenty orders in either window; Lin twenty, then sixty: about the same twenty, or new."""
    rows: list[Event] = []
    lots = []
    owners: list[int] = []
    for nth in range(10):
        who = cast.lin if nth == 9 else person(name=f"P{nth}", at=cast.purchasing, email=f"p{nth}@beiyuan.example")
        one = Identity.objects.create(
            source="floor", external_id=str(nth), company=cast.beiyuan, person=who, first_seen_at=NOW
        )
        for window in (0, 1):
            for turn in range(60 if window and nth == 9 else 20):
                at = NOW - timedelta(days=52 - 28 * window - turn // 3, minutes=13 * (turn % 3) ** 2 + nth)
                owners.append(who.pk)
                about = f"{nth}/{window}/{turn if worked_more else turn % 20}"
                rows.append(
                    Event(
                        source="floor", key=str(len(rows)), fingerprint="0" * 64, name="part.done", identity=one,
                        company=cast.beiyuan, happened_at=at, received_at=NOW, tzdb="2026a",
                        business_date=at.date(), object=about, facts={"turn": turn},
                    )
                )  # fmt: skip
    for event, owner in zip(Event.objects.bulk_create(rows), owners, strict=True):
        key = f"award/{event.pk}/part"
        lots.append(
            Grant(
                book=cast.beiyuan.pk, key=key, lot=key, owner=str(owner), points=2, cause=key,
                happened_at=event.happened_at, available_from=event.happened_at, reason="part",
            )
        )  # fmt: skip
    grant(lots, now=NOW)

    signs = find_signs(company=cast.beiyuan, last=LAST, now=LATER)

    assert [one.detector for one in signs] == found
    if found:
        assert (signs[0].person_id, len(signs[0].events), signs[0].points) == (cast.lin.pk, 40, 80)


def test_the_queue_is_seen_by_who_sees_events(farmed: Cast, client: Client) -> None:
    one = found(farmed)
    statuses = {}
    for who in ("wei", "shu", "ren", "hua", "ke", "mo", "lin"):
        farmed.sign_in(farmed.people()[who], client)
        statuses[who] = (client.get("/gaming/").status_code, client.get(f"/gaming/{one.pk}/").status_code)
    assert statuses == {
        "wei": (200, 200), "shu": (200, 200), "ren": (200, 200),
        "hua": (403, 403), "ke": (403, 403), "mo": (403, 403), "lin": (403, 403),
    }  # fmt: skip
    farmed.sign_in(farmed.ren, client)
    assert "14 of" in client.get("/gaming/").content.decode()
    assert "lines: 2" in client.get(f"/gaming/{one.pk}/").content.decode()
    answer = client.post(f"/gaming/{one.pk}/", {"verdict": "not", "reason": "Plain"}, follow=True)
    assert "Ordinary work" in answer.content.decode()
    assert Outcome.objects.get().finding_id == one.pk
    assert "Ordinary work" in client.get("/gaming/?show=decided").content.decode()


def test_what_was_found_and_said_stays(farmed: Cast) -> None:
    one = found(farmed)
    give_opinion(
        finding=one,
        verdict=Verdict.NOT,
        reason="Lin counts twice",
        by=farmed.viewer(farmed.ren),
        follows=FOLLOWS,
        now=LATER,
    )
    for deed in (
        lambda: Finding.objects.update(points=1),
        lambda: Opinion.objects.update(verdict="real"),
        lambda: Opinion.objects.update(reason="else"),
        lambda: Outcome.objects.update(taken=0, verdict="unclear"),
        lambda: Outcome.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()
    Opinion.objects.update(reason="")
    assert Opinion.objects.get().reason == ""
