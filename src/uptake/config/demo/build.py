"""Builds the demo park in an empty installation, week by week as it would have come in, and brings it up to now."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from uptake.config.demo.adoption import bring_people_in
from uptake.config.demo.afterwards import plant_afterwards
from uptake.config.demo.catalogue import CATALOGUE
from uptake.config.demo.circles import plant_circles
from uptake.config.demo.community import let_people_talk
from uptake.config.demo.drafts import plant_drafts
from uptake.config.demo.file import import_courses
from uptake.config.demo.governance import seat_a_committee
from uptake.config.demo.impact import plant_impact
from uptake.config.demo.kept import keep_questions
from uptake.config.demo.merits import plant_merits
from uptake.config.demo.odd import odd_ones
from uptake.config.demo.outside import stand_around
from uptake.config.demo.park import ZONE, DemoPark, day_of, make_park
from uptake.config.demo.people import DemoLogin, fill_directory, make_park_place
from uptake.config.demo.review import plant_reviews
from uptake.config.demo.rewards import offer_rewards
from uptake.config.demo.rules import RICH, rulebook
from uptake.config.demo.seats import give_seats
from uptake.config.demo.widget import open_host
from uptake.directory.calendar import day_kinds_between
from uptake.directory.models import Organization
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.describe import describe
from uptake.events.happening import Happening
from uptake.events.models import Connection
from uptake.events.record import record
from uptake.insight.feed.refresh import refresh
from uptake.insight.impact.models import Intervention
from uptake.programme.consider import consider_new_events
from uptake.programme.publish import publish

SEED = 20260514
DAYS = 120
STEP_DAYS = 7
"""History comes in by weeks, the last days one by one, so that they are received when they happened."""
BATCH = 4000
DAY_START = time(4)
RULES_CHANGED_DAYS = 30
LOGINS_FILE = "demo-logins.json"
STATE_FILE = "demo.json"

Say = Callable[[str], None]


class NotADemo(Exception):
    """The installation has places already and was not made by the demo; it is left alone."""


def build(
    *,
    folder: Path,
    language: str,
    now: datetime,
    say: Say,
    seed: int = SEED,
    days: int = DAYS,
    beside: Callable[[Path, datetime], AbstractContextManager[None]] | None = None,
) -> DemoPark:
    """The demo park, made if there is none, with everything up to `now`. Raises NotADemo.

    `beside`: a process that plants a part meanwhile, once the events are there (see `planting_beside`).
    """
    today = now.astimezone(ZONE).date()
    state = _state(folder)
    if state is None and Organization.objects.exists():
        raise NotADemo
    if state is None:
        with transaction.atomic():
            park = _begin(folder=folder, language=language, today=today, now=now, say=say, seed=seed, days=days)
        since = park.first_day
        _keep(folder, park, since)
    else:
        park = planned_again(folder, now)
        since = date.fromisoformat(state.until)
    with _no_collecting():
        _fill(folder, park, since, now, say)
        _plant(folder, park, now, FIRST, say)
        if not _is_planted(folder, IMPACT):
            begun = _begun(folder)
            with beside(folder, now) if beside and not begun & {name for name, _ in REST} else nullcontext():
                _plant(folder, park, now, REST, say)
            if not Intervention.objects.exists():
                plant_impact(park, now)
            _note_planted(folder, IMPACT)
        open_host(folder, settings.URL, now)
        refresh(now=now)
    return park


def planned_again(folder: Path, now: datetime) -> DemoPark:
    """The park that was made in this folder, as it was planned, up to `now`."""
    state = _state(folder)
    assert state is not None, "it was made"
    place, until = Organization.objects.get(slug="linjiang"), now.astimezone(ZONE).date()
    return _plan(place, state.seed, date.fromisoformat(state.made), state.days, state.language, until=until)


Planting = Callable[[DemoPark, datetime], object]
FIRST: tuple[tuple[str, Planting], ...] = (
    ("courses", import_courses),
    ("seats", give_seats),
    ("rewards", offer_rewards),
)
"""What people made of it beside their work, as far as evaluations look at it."""
REST: tuple[tuple[str, Planting], ...] = (
    ("merits", plant_merits),
    ("community", let_people_talk),
    ("committee", seat_a_committee),
    ("drafts", plant_drafts),
    ("afterwards", plant_afterwards),
    ("circles", plant_circles),
    ("reviews", plant_reviews),
    ("questions", keep_questions),
    ("newcomers", bring_people_in),
    ("outside", stand_around),
)
"""The rest of it."""
IMPACT = "impact"


def _plant(folder: Path, park: DemoPark, now: datetime, parts: Iterable[tuple[str, Planting]], say: Say) -> None:
    """Plants what is not there yet. What was begun and not ended, because the demo was stopped, is begun again; where
    it cannot be, because half of it is there, that half stays."""
    begun = _begun(folder)
    for name, plant in parts:
        if _is_planted(folder, name):
            continue
        _note_begun(folder, name)
        if name not in begun:
            plant(park, now)
        else:
            try:
                with transaction.atomic():
                    plant(park, now)
            except Exception as problem:
                say(f"  {name}: half of it stays as it is ({type(problem).__name__})")
        _note_planted(folder, name)


def connections() -> dict[str, Connection]:
    """The ERP connection of each company of the demo, by the company's slug."""
    return {
        one.slug.removeprefix("erp-"): one
        for one in Connection.objects.filter(slug__startswith="erp-").select_related("organization")
    }


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Half a million small objects come and none of them in cycles: looking for cycles would cost a tenth."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # what is there now is not looked through once more at the end either
        gc.enable()


def _begin(*, folder: Path, language: str, today: date, now: datetime, say: Say, seed: int, days: int) -> DemoPark:
    first = datetime.combine(today - timedelta(days=days), DAY_START, tzinfo=ZONE).astimezone(UTC)
    place = make_park_place(language=language, years=[(first).year, today.year], now=first, day_start=DAY_START)
    park = _plan(place, seed, today, days, language, until=today)
    say(f"{len(park.companies)} companies and {len(park.people)} people move in …")
    filled = fill_directory(plan=park, park=place, now=first)
    for one in CATALOGUE:
        describe(
            name=one.name,
            label_en=one.label_en,
            label_zh=one.label_zh,
            category=one.category,
            properties=one.properties,
            counts_as_active=one.counts_as_active,
            object_type=one.object_type,
            by=EVERYTHING,
            now=first,
        )
    for slug, company in filled.companies.items():
        name = f"ERP · {company.name}"
        connect(slug=f"erp-{slug}", kind="api", name=name, organization=company, by=EVERYTHING, now=first)
    _publish(park, place, changed=None, in_force=park.first_day, now=first)
    _write_logins(folder, filled.logins)
    return park


def _plan(place: Organization, seed: int, today: date, days: int, language: str, *, until: date) -> DemoPark:
    kinds = day_kinds_between(place, today - timedelta(days=days + 1), until + timedelta(days=31))
    rest = frozenset(day for day, kind in kinds.items() if not kind.works)
    return make_park(seed=seed, today=today, days=days, language=language, rest=rest)


def _publish(park: DemoPark, place: Organization, *, changed: date | None, in_force: date, now: datetime) -> None:
    kinds = day_kinds_between(place, date(park.first_day.year, 1, 1), date(park.today.year, 12, 31))
    # The companies first: where nothing is above, a rulebook may begin with the past.
    for one in [*Organization.objects.filter(slug__in=RICH).order_by("pk"), place]:
        file = rulebook(
            language=park.language,
            first=park.first_day,
            changed=changed,
            holidays=[day for day, kind in kinds.items() if day.weekday() < 5 and not kind.works],
            worked=[day for day, kind in kinds.items() if day.weekday() >= 5 and kind.works],
            rich=one.pk != place.pk,
        )
        at = now + timedelta(seconds=10 if one.pk == place.pk else 0)
        publish(rulebook=file, organization=one, in_force_date=in_force, by=EVERYTHING, now=at)


def _fill(folder: Path, park: DemoPark, since: date, now: datetime, say: Say) -> None:
    """Records and considers what happened from `since` up to `now`, a week at a time, each at its own clock."""
    links = connections()
    place = Organization.objects.get(slug="linjiang")
    today = now.astimezone(ZONE).date()
    changed = park.today - timedelta(days=RULES_CHANGED_DAYS)
    notice = changed - timedelta(days=3)
    day, count = since, 0
    while day <= today:
        step = STEP_DAYS if (today - day).days >= STEP_DAYS else 1
        last = min(day + timedelta(days=step - 1), today)
        if day <= notice <= last:
            at = datetime.combine(notice, time(10), tzinfo=ZONE).astimezone(UTC)
            _publish(park, place, changed=changed, in_force=changed, now=at)
        clock = min(datetime.combine(last + timedelta(days=1), DAY_START, tzinfo=ZONE).astimezone(UTC), now)
        week: dict[str, list[Happening]] = {slug: [] for slug in links}
        for offset in range((last - day).days + 1):
            for slug, happenings in day_of(park, day + timedelta(days=offset)).items():
                week[slug] += [one for one in happenings if one.at <= now]
        with transaction.atomic():
            for turn, (slug, happenings) in enumerate(week.items()):
                happenings += odd_ones(park, slug, day, last, clock)
                # Each ERP delivers at its own second: what came at one instant is considered as one, however much.
                at = clock - timedelta(seconds=len(week) - turn)
                for start in range(0, len(happenings), BATCH):
                    record(happenings[start : start + BATCH], connection=links[slug], now=at)
                count += len(happenings)
        while consider_new_events(now=clock):
            pass
        _keep(folder, park, last)
        say(f"{count:>7,} events up to {last}")
        day = last + timedelta(days=1)


@dataclass(frozen=True)
class State:
    """How the park was made and how far it is filled, kept so that a stopped demo goes on where it was."""

    seed: int
    made: str
    days: int
    language: str
    until: str
    begun: tuple[str, ...] | None = None
    """Parts of what people made of it that were begun; None: all are there (the demo was made when nobody noted it)."""
    planted: tuple[str, ...] | None = None
    """Those that are there."""


def _state(folder: Path) -> State | None:
    file = folder / STATE_FILE
    return State(**json.loads(file.read_text())) if file.exists() else None


def _keep(folder: Path, park: DemoPark, until: date) -> None:
    known = _state(folder)
    begun, planted = (known.begun, known.planted) if known else ((), ())
    _write(
        folder,
        State(park.seed, park.today.isoformat(), park.days, park.language, until.isoformat(), begun, planted),
    )


def _write(folder: Path, state: State) -> None:
    draft = folder / f"{STATE_FILE}.draft"
    draft.write_text(json.dumps(asdict(state)))
    draft.replace(folder / STATE_FILE)


def _begun(folder: Path) -> set[str]:
    state = _state(folder)
    return set(state.begun or ()) if state else set()


def _is_planted(folder: Path, name: str) -> bool:
    state = _state(folder)
    return state is not None and (state.planted is None or name in state.planted)


def _note_begun(folder: Path, name: str) -> None:
    state = _state(folder)
    assert state is not None, "the park was made"
    _write(folder, replace(state, begun=(*(state.begun or ()), name)))


def _note_planted(folder: Path, name: str) -> None:
    state = _state(folder)
    assert state is not None, "the park was made"
    _write(folder, replace(state, planted=(*(state.planted or ()), name)))


def _write_logins(folder: Path, logins: Iterable[DemoLogin]) -> None:
    (folder / LOGINS_FILE).write_text(json.dumps([asdict(login) for login in logins], ensure_ascii=False, indent=1))
