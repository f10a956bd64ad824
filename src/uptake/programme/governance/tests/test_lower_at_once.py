"""One member lowers a rule at once; the committee says afterwards whether it stays so."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.scope import EVERYTHING
from uptake.directory.viewer import NotAllowed
from uptake.programme.governance.close import close_proposals
from uptake.programme.governance.lower_at_once import NotLower, lower_at_once
from uptake.programme.governance.lowered_too import lowered_too
from uptake.programme.governance.models import Proposal
from uptake.programme.governance.propose import NotOpen, WhyMissing, withdraw_proposal
from uptake.programme.governance.seals import broken_seals
from uptake.programme.governance.tests.world import COUNTS, ORDERS, Room, after
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.models import Award
from uptake.programme.publish import publish
from uptake.programme.tests.world import Desk, points_of

pytestmark = pytest.mark.django_db


def lower(room: Room, **more: int) -> Proposal:
    return lower_at_once(
        organization=room.cast.beiyuan, rule="orders", title="Orders off", why="Somebody runs a script.",
        by=room.viewer(room.cast.ke), now=NOW, **more,
    )  # fmt: skip


def pays(room: Room, day: date) -> dict[str, object]:
    version = rulebook_version_on(room.cast.beiyuan, day)
    assert version is not None
    return {rule.rule: rule.points for rule in parsed(version.pk, version.sha256).in_force(day)}


def test_it_holds_from_today_and_the_vote_is_opened(cast: Cast) -> None:
    room = Room(cast)
    proposal = lower(room, points=3)

    assert pays(room, NOW.date())["orders"] == 3
    assert (proposal.kind, proposal.state, proposal.base) == ("emergency", "open", room.in_force)
    assert broken_seals(proposal) == []
    assert AuditEntry.objects.get(deed="rule.lowered").details["why"] == "Somebody runs a script."
    with pytest.raises(NotOpen):
        withdraw_proposal(proposal=proposal, by=room.viewer(cast.ke), now=NOW)


@pytest.mark.parametrize(("choices", "stays"), [(("yes", "yes"), True), (("no", "no", "yes"), False), ((), False)])
def test_what_is_not_confirmed_comes_back(cast: Cast, choices: tuple[str, ...], stays: bool) -> None:
    room = Room(cast)
    proposal = lower(room)
    room.vote(proposal, *choices)

    close_proposals(now=after(proposal))

    proposal.refresh_from_db()
    next_day = date(2026, 5, 22)  # the vote ended with 20 May; counted at the first second of the 21st
    assert ("orders" in pays(room, next_day)) is not stays
    assert "orders" not in pays(room, NOW.date()), "not for the days in between"
    assert (proposal.version is None) is stays


def coming(cast: Cast, *rules: dict[str, Any], days: int) -> None:
    publish(
        organization=cast.beiyuan, rulebook={"rules": list(rules)}, in_force_date=NOW.date() + timedelta(days=days),
        by=EVERYTHING, now=NOW - timedelta(hours=1),
    )  # fmt: skip


@pytest.mark.parametrize(("choices", "stays"), [(("yes", "yes"), True), (("no", "no", "no"), False)])
def test_what_is_published_for_later_is_lowered_too(cast: Cast, choices: tuple[str, ...], stays: bool) -> None:
    room = Room(cast)
    coming(cast, {**ORDERS, "points": 12}, days=3)
    coming(cast, {**ORDERS, "points": 7}, COUNTS, days=30)
    coming(cast, {**ORDERS, "points": 8}, COUNTS, days=30)
    coming(cast, {**ORDERS, "points": 2}, days=40)
    coming(cast, COUNTS, days=50)
    proposal = lower(room, points=3)

    def orders(*days: int) -> list[object]:
        return [pays(room, NOW.date() + timedelta(days=day)).get("orders") for day in days]

    assert orders(0, 2, 3, 29, 30, 40, 50) == [3, 3, 3, 3, 3, 2, None]
    room.vote(proposal, *choices)
    close_proposals(now=after(proposal))

    proposal.refresh_from_db()
    assert (orders(9, 29, 30, 40) == [3, 3, 3, 2]) is stays
    assert (orders(9, 29, 30, 40, 50) == [12, 12, 8, 2, None]) is not stays
    assert orders(0, 7) == [3, 3], "not for the days in between"
    assert proposal.held_back == ""


def test_two_lowered_in_one_instant_come_back_each_by_its_own_vote(cast: Cast) -> None:
    room = Room(cast)
    coming(cast, {**ORDERS, "points": 12}, COUNTS, days=30)
    lower(room, points=3)
    second = lower_at_once(
        organization=cast.beiyuan, rule="counts", title="Counts", why="Too.", by=room.viewer(cast.ke), now=NOW, points=1
    )

    assert [too.now.in_force_date for too in lowered_too(second)] == [NOW.date() + timedelta(days=30)]
    assert parsed(lowered_too(second)[0].was.pk, lowered_too(second)[0].was.sha256).rules[-1].rule == "orders"


def test_what_others_published_meanwhile_is_not_undone(cast: Cast) -> None:
    room = Room(cast)
    proposal = lower(room)
    accepted = publish(
        organization=cast.beiyuan, rulebook={"rules": [{**ORDERS, "points": 7}]},
        in_force_date=NOW.date() + timedelta(days=3), by=EVERYTHING, now=NOW + timedelta(hours=1),
    )  # fmt: skip
    room.vote(proposal, "no", "no", "no")

    close_proposals(now=after(proposal))

    proposal.refresh_from_db()
    assert (proposal.state, proposal.held_back, proposal.version) == ("refused", "rules_moved_on", None)
    assert rulebook_version_on(cast.beiyuan, date(2026, 5, 22)) == accepted


@pytest.mark.django_db(transaction=True)
def test_what_it_paid_today_stays_and_no_more_is_paid(cast: Cast) -> None:
    room = Room(cast)
    desk = Desk(cast, [ORDERS, COUNTS])
    before = desk.processed("A", NOW)
    lower(room)
    later = desk.processed("B", NOW + timedelta(hours=1))

    assert (points_of(before), points_of(later)) == (10, 0)
    assert Award.objects.filter(points__gt=0).count() == 1


def test_only_who_manages_the_rules_and_only_lower(cast: Cast) -> None:
    room = Room(cast)
    for who in (cast.lin, cast.hua, cast.mo):
        with pytest.raises(NotAllowed):
            lower_at_once(
                organization=cast.beiyuan, rule="orders", title="x", why="x", by=room.viewer(who), now=NOW
            )  # fmt: skip
    with pytest.raises(NotLower):
        lower(room, points=11)
    with pytest.raises(WhyMissing):
        lower_at_once(organization=cast.beiyuan, rule="orders", title="x", why="", by=room.viewer(cast.ke), now=NOW)
    assert not Proposal.objects.exists()
