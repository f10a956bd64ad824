"""The demo park: the same seed gives the same park, what is planted is there, and filling it again adds nothing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db.models import Count

from uptake.config.demo import build as demo
from uptake.config.demo.build import LOGINS_FILE, STATE_FILE, NotADemo, Planting, build
from uptake.config.demo.park import (
    FARMER,
    LABEL_FAULT_DAYS,
    SILENT_COMPANIES,
    STOPPED_BY_FAULT,
    DemoPark,
    day_of,
    make_park,
)
from uptake.config.demo.people import PARTS, PASSWORD
from uptake.directory.models import Kind, Organization, Person, User
from uptake.directory.scope import viewer_of
from uptake.events.happening import Happening
from uptake.events.models import Event
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.belonging import members_of
from uptake.insight.metrics.seats import activation, products_at
from uptake.insight.models import SavedView, Segment
from uptake.programme.models import Award

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def park(*, seed: int = 7, days: int = 60) -> DemoPark:
    first = TODAY - timedelta(days=days)
    rest = (first + timedelta(days=offset) for offset in range(days + 31))
    weekends = frozenset(day for day in rest if day.weekday() >= 5)
    return make_park(seed=seed, today=TODAY, days=days, language="en", rest=weekends)


def happenings(plan: DemoPark, ago: int) -> list[Happening]:
    return [one for day in day_of(plan, TODAY - timedelta(days=ago)).values() for one in day]


def test_the_same_seed_gives_the_same_day_and_another_seed_another() -> None:
    assert happenings(park(), 5) == happenings(park(), 5) != happenings(park(seed=8), 5)


def test_everything_of_a_day_lies_on_it_with_the_staff_number_of_whom_it_names() -> None:
    for company, day in day_of(park(), TODAY - timedelta(days=3)).items():
        numbers = {one.login: one.staff_number for one in park().people if one.company == company}
        assert [one.at for one in day] == sorted(one.at for one in day)
        for one in day:
            assert (one.at + timedelta(hours=8)).date() == TODAY - timedelta(days=3)
            assert one.person_staff_number == numbers[one.person or ""]


@pytest.mark.parametrize("company", SILENT_COMPANIES)
def test_two_companies_fall_silent(company: str) -> None:
    plan, silent = park(), SILENT_COMPANIES[company]

    assert not any(day_of(plan, TODAY - timedelta(days=ago))[company] for ago in range(silent - 3))
    assert any(day_of(plan, TODAY - timedelta(days=ago))[company] for ago in range(silent + 7, silent + 10))


def test_printing_labels_fails_only_since_the_fault_began_and_then_most_stop() -> None:
    plan = park()
    faults = {
        ago: {one.person_staff_number for one in happenings(plan, ago) if one.event == "label.print_failed"}
        for ago in range(60)
    }
    met = [one for one in plan.people if one.meets_fault is not None]

    assert any(faults.values())
    assert not any(hit for ago, hit in faults.items() if ago > LABEL_FAULT_DAYS)
    assert sum(one.silent_from is not None for one in met) > len(met) / 2


def test_one_storekeeper_moves_one_piece_to_and_fro() -> None:
    plan = park()
    turns = [
        sum(
            one.person_staff_number == FARMER and dict(one.facts).get("quantity") == 1 and one.object.endswith("-F")
            for one in happenings(plan, ago)
        )
        for ago in range(20)
    ]

    assert sum(turn >= 8 for turn in turns) >= 5


@pytest.mark.django_db(transaction=True)
def test_a_park_is_filled_once_and_goes_on_where_it_was(tmp_path: Path) -> None:
    def fill(now: datetime) -> None:
        build(folder=tmp_path, language="en", now=now, say=lambda line: None, days=14)

    fill(NOW)
    events, awards = Event.objects.count(), Award.objects.count()
    fill(NOW)
    again = Event.objects.count()
    fill(NOW + timedelta(days=1))

    assert again == events > 1000
    assert awards > 100
    assert Event.objects.count() > events
    plan = park(seed=7, days=14)
    assert Person.objects.count() == len(plan.people) + sum(not part.staff_number for part in PARTS)
    assert not Person.objects.annotate(places=Count("memberships")).exclude(places=1).exists()
    assert Organization.objects.filter(kind=Kind.COMPANY).count() == len(plan.companies)
    assert Person.objects.get(staff_number="B001").memberships.get().organization.slug == "beiyuan-sales"
    told = json.loads((tmp_path / LOGINS_FILE).read_text())
    assert {one["username"] for one in told} == {part.username for part in PARTS}
    shown = User.objects.filter(username__in=[part.username for part in PARTS])
    for user in shown:
        assert user.check_password(PASSWORD)
    assert len(set(shown.values_list("password", flat=True))) == 1
    assert not any(user.has_usable_password() for user in User.objects.exclude(pk__in=shown))


@pytest.mark.django_db(transaction=True)
def test_a_demo_that_was_stopped_while_planting_plants_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted: list[str] = []
    said: list[str] = []
    stops, refuses = {"drafts"}, {"drafts"}

    def part(name: str) -> Planting:
        def plant(_park: DemoPark, _now: datetime) -> None:
            planted.append(name)
            if name in stops:
                raise KeyboardInterrupt
            Organization.objects.filter(slug="linjiang").update(trade=name)
            if name in refuses:
                raise ValueError(name)

        return plant

    monkeypatch.setattr(demo, "FIRST", tuple((name, part(name)) for name, _ in demo.FIRST))
    monkeypatch.setattr(demo, "REST", tuple((name, part(name)) for name, _ in demo.REST))
    monkeypatch.setattr(demo, "plant_impact", part("impact"))

    def fill() -> None:
        build(folder=tmp_path, language="en", now=NOW, say=said.append, days=2)

    with pytest.raises(KeyboardInterrupt):
        fill()
    assert planted[-1] == "drafts"
    stops.clear()
    fill()

    names = [name for name, _ in (*demo.FIRST, *demo.REST)]
    cut = names.index("drafts") + 1
    assert planted == [*names[:cut], "drafts", *names[cut:], "impact"]
    assert not Organization.objects.filter(trade="drafts").exists(), "what was refused left nothing of its own"
    assert [line for line in said if "half of it stays" in line] == ["  drafts: half of it stays as it is (ValueError)"]
    fill()
    assert planted == [*names[:cut], "drafts", *names[cut:], "impact"], "what is there is not planted again"
    refuses.clear()
    (tmp_path / STATE_FILE).write_text(
        json.dumps({key: told for key, told in json.loads((tmp_path / STATE_FILE).read_text()).items() if key in OLD})
    )
    fill()
    assert planted[-1] == "impact", "a demo made before parts were noted has them all"
    assert len(planted) == len(names) + 2


OLD = ("seed", "made", "days", "language", "until")


@pytest.mark.django_db
def test_an_installation_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    Organization.objects.create(kind=Kind.PARK, name="Other", slug="other", created_at=NOW)

    with pytest.raises(NotADemo):
        build(folder=tmp_path, language="en", now=NOW, say=lambda line: None, days=14)

    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_seats_tell_of_those_who_never_came_of_the_silent_and_of_missing_data(
    tmp_path: Path, settings: LazySettings
) -> None:
    settings.DATA = tmp_path
    build(folder=tmp_path, language="en", now=NOW, say=lambda line: None, days=35)
    place = Organization.objects.get(slug="linjiang")

    found = activation(activity_log(), place, products_at(place), TODAY)

    of = {part.place.slug: part.tally for part in found.parts if part.place}
    assert max(one.seat.issued_date for one in found.seats) <= TODAY
    viewers = {user.pk: viewer_of(user, today=TODAY) for user in User.objects.all()}
    for one in Segment.objects.all():
        assert members_of(activity_log(), viewers[one.owner_id], one, TODAY), f"nobody is in {one.name}"
    assert {one.owner.username for one in SavedView.objects.all()} == {"ren", "wei"}
    assert of[STOPPED_BY_FAULT].silent >= 12
    assert of[STOPPED_BY_FAULT].untold == of["beiyuan"].untold == 0
    assert of["huaxin"].silent == 0
    assert of["huaxin"].untold == of["huaxin"].seats
    assert of["mingzhou"].young >= 9
    assert found.tally.never > 20
    assert found.tally.habitual > found.tally.judged / 2
    assert len([one for one in found.unseated if one.code > 0]) > 10
