"""Segments: who belongs, who may use and change them, and that they tell of nobody outside the own places."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tests.cast import NOW, Cast
from uptake.activity.question import QuestionRefused
from uptake.directory.models import AuditEntry, Organization
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.belonging import members_of, narrowing
from uptake.insight.metrics.keep_segment import (
    change_segment,
    drop_segment,
    freeze_segment,
    make_segment,
    may_change,
)
from uptake.insight.metrics.kept import NoName, NotARole
from uptake.insight.metrics.tests.world import happen
from uptake.insight.metrics.told import TotalsOnly, told
from uptake.insight.models import Segment

TODAY = date(2026, 5, 13)
ORDERED: dict[str, Any] = {"criteria": [{"kind": "performed", "event": "order.created"}]}
NOT_LATELY: dict[str, Any] = {"criteria": [{"kind": "stopped", "event": "order.created", "days": 30, "recent_days": 3}]}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def lively(cast: Cast) -> Cast:
    deeds = [
        ("lin", "order.created", TODAY - timedelta(days=1)),
        ("hua", "order.created", TODAY - timedelta(days=8)),
        ("ke", "stock.counted", TODAY - timedelta(days=1)),
        ("mo", "order.created", TODAY - timedelta(days=1)),
    ]
    happen(cast, deeds, TODAY)
    return cast


def made(
    cast: Cast, who: str, criteria: dict[str, Any], at: Organization | None = None, roles: tuple[str, ...] = ()
) -> Segment:
    viewer = cast.viewer(cast.people()[who])
    return make_segment(
        name="Buyers", organization=at or cast.beiyuan, criteria=criteria, roles=roles, by=viewer, now=NOW
    )


def names(cast: Cast, who: str, segment: Segment) -> set[str]:
    ids = {person.pk: name for name, person in cast.people().items()}
    found = members_of(activity_log(), cast.viewer(cast.people()[who]), segment, TODAY)
    return {ids[one] for one in found}


def test_who_belongs_is_reckoned_at_the_place_of_the_segment(lively: Cast) -> None:
    assert names(lively, "wei", made(lively, "wei", ORDERED)) == {"lin", "hua"}
    assert names(lively, "ren", made(lively, "ren", ORDERED, lively.park)) == {"lin", "hua", "mo"}
    assert names(lively, "wei", made(lively, "wei", NOT_LATELY)) == {"hua"}
    assert names(lively, "wei", made(lively, "wei", {**ORDERED, "negated": True})) == {"ke"}


def test_companies_belong_too(lively: Cast) -> None:
    counted = {"of": "company", "criteria": [{"kind": "performed", "event": "stock.counted"}]}
    segment = made(lively, "ren", counted, lively.park)

    assert members_of(activity_log(), lively.viewer(lively.ren), segment, TODAY) == [lively.beiyuan.pk]


def test_a_question_is_narrowed_to_it_live_or_static(lively: Cast) -> None:
    segment = made(lively, "wei", ORDERED)
    question = {"analysis": "pv_uv", "from": "2026-05-01", "to": "2026-05-13", "event_sel": {}}
    wei = lively.viewer(lively.wei)

    def people() -> int:
        return int(told(activity_log(), wei, {**question, **narrowing(segment)})["total_uv"])

    assert people() == 2
    segment = freeze_segment(segment=segment, members=[lively.lin.pk, lively.mo.pk], taken_date=TODAY, by=wei, now=NOW)
    assert people() == 1, "Mo stands in the list, but what Mo did is not Wei's to see"
    segment = freeze_segment(segment=segment, members=[], taken_date=TODAY, by=wei, now=NOW)
    assert people() == 0


def test_a_static_one_keeps_its_list_and_new_criteria_make_it_live_again(lively: Cast) -> None:
    wei = lively.viewer(lively.wei)
    segment = made(lively, "wei", ORDERED)

    segment = freeze_segment(segment=segment, members=[7, 3, 7], taken_date=TODAY, by=wei, now=NOW)
    assert (segment.members, segment.taken_date) == ([3, 7], TODAY)
    assert members_of(activity_log(), wei, segment, TODAY + timedelta(days=9)) == [3, 7]

    segment = change_segment(segment=segment, name="Others", by=wei, now=NOW)
    assert segment.static
    segment = change_segment(segment=segment, criteria=NOT_LATELY, by=wei, now=NOW)
    assert not segment.static


@pytest.mark.parametrize(
    ("who", "at", "allowed"),
    [("wei", "beiyuan", True), ("ren", "qinghe", True), ("shu", "park", True), ("wei", "qinghe", False),
     ("wei", "park", False), ("hua", "beiyuan", False), ("lin", "beiyuan", False)],
)  # fmt: skip
def test_they_are_made_where_one_may_see_people(lively: Cast, who: str, at: str, allowed: bool) -> None:
    if allowed:
        assert made(lively, who, ORDERED, getattr(lively, at)).pk
    else:
        with pytest.raises(NotAllowed):
            made(lively, who, ORDERED, getattr(lively, at))


def seen_by(cast: Cast) -> set[str]:
    return {name for name, who in cast.people().items() if Segment.objects.visible_to(cast.viewer(who)).exists()}


def test_a_private_one_is_its_owners_alone(lively: Cast) -> None:
    made(lively, "wei", ORDERED)

    assert seen_by(lively) == {"wei"}


def test_a_shared_one_is_used_by_the_role_at_the_place_or_above(lively: Cast) -> None:
    made(lively, "ren", ORDERED, roles=("coach", "auditor"))
    assert seen_by(lively) == {"ren", "wei", "shu"}


def test_one_of_the_park_is_not_for_the_coach_of_a_company(lively: Cast) -> None:
    made(lively, "ren", ORDERED, lively.park, roles=("coach",))

    assert seen_by(lively) == {"ren"}


def test_who_may_no_longer_see_the_people_may_no_longer_use_it(lively: Cast) -> None:
    segment = made(lively, "wei", ORDERED)
    lively.wei.role_assignments.update(until_date=TODAY)

    viewer = lively.viewer(lively.wei)

    assert not Segment.objects.visible_to(viewer).exists()
    assert not may_change(viewer, segment)
    with pytest.raises(QuestionRefused):
        members_of(activity_log(), viewer, segment, TODAY)


def test_who_sees_totals_is_not_told_who_belongs(lively: Cast) -> None:
    with pytest.raises(TotalsOnly):
        members_of(activity_log(), lively.viewer(lively.hua), made(lively, "wei", ORDERED), TODAY)


def test_a_shared_one_can_also_be_changed_by_who_manages_the_place(lively: Cast) -> None:
    private, shared = made(lively, "wei", ORDERED), made(lively, "wei", ORDERED, roles=("coach",))

    assert [may_change(lively.viewer(lively.ren), one) for one in (private, shared)] == [False, True]
    assert not may_change(lively.viewer(lively.shu), shared)
    with pytest.raises(NotAllowed):
        drop_segment(segment=private, by=lively.viewer(lively.ren), now=NOW)
    drop_segment(segment=shared, by=lively.viewer(lively.ren), now=NOW)
    assert list(Segment.objects.all()) == [private]


def test_only_deeds_to_shared_ones_are_written_down(lively: Cast) -> None:
    wei = lively.viewer(lively.wei)
    segment = made(lively, "wei", ORDERED)
    change_segment(segment=segment, name="Mine", by=wei, now=NOW)
    assert not AuditEntry.objects.filter(deed__startswith="segment.").exists()

    change_segment(segment=segment, roles=["coach"], by=wei, now=NOW)
    change_segment(segment=segment, roles=["coach"], by=wei, now=NOW)
    freeze_segment(segment=segment, members=[1], taken_date=TODAY, by=wei, now=NOW)
    change_segment(segment=segment, roles=[], by=wei, now=NOW)
    drop_segment(segment=segment, by=wei, now=NOW)
    drop_segment(segment=made(lively, "wei", ORDERED, roles=("coach",)), by=wei, now=NOW)

    entries = AuditEntry.objects.filter(deed__startswith="segment.").order_by("pk")
    assert [(entry.deed, entry.organization) for entry in entries] == [
        (deed, lively.beiyuan)
        for deed in ("segment.changed", "segment.frozen", "segment.changed", "segment.made", "segment.dropped")
    ]


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"name": "  "}, NoName),
        ({"roles": ["manager"]}, NotARole),
        ({"roles": ["king"]}, NotARole),
        ({"criteria": {"criteria": []}}, QuestionRefused),
        ({"criteria": {**ORDERED, "as_of": "2026-05-01"}}, QuestionRefused),
        ({"criteria": {"criteria": [{"kind": "dreamt"}]}}, QuestionRefused),
    ],
)
def test_what_makes_no_segment(lively: Cast, more: dict[str, Any], refusal: type[Exception]) -> None:
    given: dict[str, Any] = {"name": "Buyers", "criteria": ORDERED, "organization": lively.beiyuan, **more}

    with pytest.raises(refusal):
        make_segment(by=lively.viewer(lively.wei), now=datetime.now(UTC), **given)
    with pytest.raises(NotAllowed):
        make_segment(name="a", criteria=ORDERED, organization=lively.beiyuan, by=EVERYTHING, now=NOW)
    assert not Segment.objects.exists()
