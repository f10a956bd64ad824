"""The ready-made metrics say what a hand counts, in the log as in the record, and their parts make the whole."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from django.conf import LazySettings
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cast import NOW, TODAY, Cast
from uptake.activity import ActivityLog
from uptake.activity.summaries.measured import Counted, Groups, Lasting, counted, lasting
from uptake.directory.models import Kind, Organization
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.describe import describe
from uptake.events.happening import Happening
from uptake.events.record import record
from uptake.insight.feed.refresh import refresh
from uptake.insight.feed.where import activity_log
from uptake.insight.impact.days_of_metrics import Days, days_of_metrics, parts_of, roles_of, whole
from uptake.insight.impact.metrics import Measure, Metric, metric_of
from uptake.insight.impact.named import BY_KEY, NAMED, recipe
from uptake.insight.impact.panel_of_departments import department_panel
from uptake.ledger.models import Entry

ZONE = ZoneInfo("Asia/Shanghai")
FACTS = {
    "order.processed": {"on_time": "boolean"}, "stock.counted": {"correct": "boolean"},
    "feedback.rated": {"rating": "number"}, "auth.login": {}, "order.created": {}, "label.print_failed": {},
}  # fmt: skip
DAY = TODAY - timedelta(days=1)
BEFORE = DAY - timedelta(days=28)
NO_SHARES = {"order_hours", "feedback_rating", "satisfaction", "tasks_done"}


def lived(cast: Cast) -> None:
    """A Tuesday of Beiyuan: Lin logs in twice, enters two orders and processes one in time, Hua one late …"""
    for name, facts in FACTS.items():
        describe(
            name=name, properties={fact: {"type": kind} for fact, kind in facts.items()},
            counts_as_active=name != "feedback.rated", by=EVERYTHING, now=NOW,
        )  # fmt: skip
    told: list[tuple[str, str, date, int, str, dict[str, Any]]] = [
        ("lin", "auth.login", BEFORE, 9, "", {}), ("hua", "auth.login", BEFORE, 9, "", {}),
        ("lin", "auth.login", DAY, 9, "", {}), ("lin", "auth.login", DAY, 10, "", {}),
        ("lin", "order.created", DAY, 10, "o1", {}), ("lin", "order.created", DAY, 11, "o2", {}),
        ("lin", "order.processed", DAY, 12, "o1", {"on_time": True}),
        ("hua", "order.processed", DAY, 15, "o2", {"on_time": False}),
        ("lin", "stock.counted", DAY, 13, "c1", {"correct": False}),
        ("lin", "stock.counted", DAY, 14, "c2", {"correct": True}),
        ("lin", "stock.counted", DAY, 15, "c3", {"correct": True}),
        ("lin", "label.print_failed", DAY, 15, "l1", {}),
        ("lin", "feedback.rated", DAY, 16, "f1", {"rating": 4}),
        ("lin", "feedback.rated", DAY, 16, "f2", {"rating": 3}),
        ("mo", "auth.login", DAY, 9, "", {}),
    ]  # fmt: skip
    for company in (cast.beiyuan, cast.qinghe):
        link = connect(
            slug=f"erp-{company.slug}", kind="api", name=company.name, organization=company, by=EVERYTHING, now=NOW
        )
        rows = [
            Happening(
                event=name, key=str(at), at=datetime.combine(day, time(hour), tzinfo=ZONE), person=who, object=thing,
                facts=facts, person_email=cast.people()[who].email, history_only=day < DAY,
            )
            for at, (who, name, day, hour, thing, facts) in enumerate(told)
            if (who == "mo") == (company == cast.qinghe)
        ]  # fmt: skip
        record(rows, connection=link, now=NOW)
    refresh(now=NOW)


def posted(cast: Cast) -> None:
    at = datetime.combine(DAY, time(12), tzinfo=ZONE)
    for kind, points in (("granted", 80), ("settled", 30), ("refunded", 10), ("held", 99)):
        Entry.objects.create(
            book=cast.beiyuan.pk, key=kind, kind=kind, fingerprint="0" * 64, points=points, reason="x", cause="time",
            effective_at=at, posted_at=at,
        )  # fmt: skip


@pytest.fixture
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.mark.django_db(transaction=True)
def test_each_says_what_a_hand_counts_and_what_the_panel_of_departments_says(cast: Cast, own_log: None) -> None:
    lived(cast)
    posted(cast)
    departments = parts_of(cast.beiyuan)
    heads = len([one for one in cast.people().values() if one is not None and _of_beiyuan(one, cast)])

    told = {one.named.key: one for one in days_of_metrics(activity_log(), cast.beiyuan, whole(cast.beiyuan), last=DAY)}
    apart = {one.named.key: one for one in days_of_metrics(activity_log(), cast.beiyuan, departments, last=DAY)}
    roles = {
        one.named.key: one
        for one in days_of_metrics(activity_log(), cast.beiyuan, roles_of(cast.beiyuan, DAY), last=DAY)
    }
    park = Organization.objects.get(kind=Kind.PARK)
    both = {one.named.key: one for one in days_of_metrics(activity_log(), park, whole(park), last=DAY)}

    hand = {
        "login": 1 / heads, "active": 2 / heads, "returned": 1.0, "orders_on_time": 1 / 2,
        "order_hours": (2 + 4) / 2, "stock_errors": 1 / 3, "failed": 1 / 10, "feedback_rating": 3.5,
        "redeemed": (30 - 10) / 80,
    }  # fmt: skip
    for key, figure in hand.items():
        assert told[key].values()[-1] == pytest.approx(figure), key
        day, latest = told[key].latest() or (0, None)
        assert day == 89
        assert latest == pytest.approx(figure), key
    unknown = {
        "uptime",
        "running",
        "completeness",
        "stock_on_time",
        "tasks_done",
        "redeeming",
        "feedback_in_time",
        "satisfaction",
    }
    assert {key for key, one in told.items() if not one.measurable} == unknown
    assert both["login"].counted[:, -1].sum() == 2
    assert told["login"].recent() == pytest.approx(1 / heads / len(_worked(told["login"], 28)))
    assert both["redeemed"].counted.sum() == 20
    for key in ("login", "active", "orders_on_time", "stock_errors", "feedback_rating"):
        assert apart[key].counted.sum() <= told[key].counted.sum()  # Hua manages, and is of no department
        assert roles[key].counted.sum() <= told[key].counted.sum()
        metric = told[key].metric
        assert metric is not None
        assert metric_of(metric.facts()) == metric
        panel = department_panel(
            dict.fromkeys(one.slug for one in departments.places), metric=metric, first=DAY, last=DAY
        )
        assert panel is not None
        by_slug = {slug: float(value) for slug, value in zip(panel.units, panel.outcome[:, 0], strict=True)}
        for at, one in enumerate(departments.places):
            value = apart[key].values(at)[-1]
            if value is not None and one.slug in by_slug:
                assert value == pytest.approx(by_slug[one.slug]), (key, one.slug)


def _of_beiyuan(person: Any, cast: Cast) -> bool:
    found = person.memberships.on(DAY).filter(organization__path__startswith=cast.beiyuan.path)
    return bool(found.exists())


def _worked(days: Days, last: int) -> list[int]:
    return [at for at in np.flatnonzero(days.working).tolist() if at >= len(days.working) - last]


@pytest.mark.parametrize(
    ("known", "key", "event"),
    [
        ({"auth.login": set(), "user.login": set()}, "login", "auth.login"),
        ({"user.login": set()}, "login", "user.login"),
        ({"order.processed": set(), "order.shipped": {"on_time"}}, "orders_on_time", "order.shipped"),
        ({"order.processed": {"on_time"}}, "order_hours", None),
        ({"work_order.completed": set(), "work_order.released": set()}, "tasks_done", "work_order.completed"),
        ({}, "failed", ""),
        ({}, "returned", None),
    ],
)
def test_a_metric_is_made_of_what_a_place_sends(known: dict[str, set[str]], key: str, event: str | None) -> None:
    found = recipe(BY_KEY[key], known)

    assert (found.event if found else None) == event
    assert found is None or (found.sensible and found.named == key)


def test_every_recipe_makes_sense_and_every_name_stands_once() -> None:
    assert all(metric.sensible for one in NAMED for metric in one.recipes)
    assert len(BY_KEY) == len(NAMED)
    assert all(bool(one.recipes) is (one.special is None) for one in NAMED)
    assert all(one.is_share for one in NAMED if one.key not in NO_SHARES)


ROWS = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(["a", "b"]), st.integers(0, 40), st.sampled_from(["", "x", "y"])),
    max_size=25,
)


@pytest.mark.once
@settings(max_examples=20, deadline=None)
@given(rows=ROWS, swap=st.randoms())
def test_parts_make_the_whole_in_any_order_and_of_nothing_comes_nothing(
    rows: list[tuple[int, str, int, str]], swap: Any
) -> None:
    first = date(2026, 3, 1)

    def asked(rows: list[tuple[int, str, int, str]], people: tuple[tuple[int, ...], ...]) -> tuple[Any, ...]:
        log = ActivityLog.from_arrow(
            pa.table(
                {
                    "person": pa.array([one[0] for one in rows], pa.int64()),
                    "event": pa.array([one[1] for one in rows], pa.string()),
                    "happened_at": pa.array(
                        [datetime(2026, 3, 1) + timedelta(days=one[2]) for one in rows], pa.timestamp("us")
                    ),
                    "object": pa.array([one[3] for one in rows], pa.string()),
                }
            )
        )
        groups = Groups("people", people=people)
        last = first + timedelta(days=40)
        found = counted(log, [Counted(), Counted(("a",), people=True)], groups, first=first, last=last)
        hours, ends = lasting(log, [Lasting("a", "b")], groups, first=first, last=last)
        return found.counted, found.returned, hours, ends

    moved = list(rows)
    swap.shuffle(moved)
    whole_, apart, other = (
        asked(rows, ((1, 2, 3, 4),)), asked(rows, ((1,), (2, 3), (4,))), asked(moved, ((1, 2, 3, 4),))
    )  # fmt: skip

    for one, parts, again in zip(whole_, apart, other, strict=True):
        assert np.array_equal(parts.sum(axis=1), one[:, 0])
        assert np.array_equal(one, again)
    assert whole_[0][0].sum() == len(rows)
    assert whole_[0][1].sum() == len({(who, day) for who, name, day, _ in rows if name == "a"})
    active = {(who, day) for who, _name, day, _ in rows}
    for day in range(41):
        then = {who for who, at in active if day - 34 <= at <= day - 28}
        now = {who for who, at in active if day - 6 <= at <= day}
        assert whole_[1][:, 0, day].tolist() == [len(then), len(then & now)]
    begun: dict[str, int] = {}
    for _who, name, day, thing in sorted(rows, key=lambda one: one[2]):
        if name == "a" and thing:
            begun.setdefault(thing, day)
    last = {thing: max((at for _w, n, at, t in rows if n == "b" and t == thing and at >= day), default=None)
            for thing, day in begun.items()}  # fmt: skip
    assert whole_[2].sum() == 24 * sum(end - begun[thing] for thing, end in last.items() if end is not None)
    assert whole_[3].sum() == sum(end is not None for end in last.values())
    assert Metric("a", Measure.FAILED).sensible is False
