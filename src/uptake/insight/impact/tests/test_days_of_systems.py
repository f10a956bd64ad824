"""Probes, outages and requirements, counted by hand; what is noted, ended and taken back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import AuditEntry, Organization
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.record import record
from uptake.insight.impact.days_of_systems import probes, released, running_hours
from uptake.insight.impact.models import Outage
from uptake.insight.impact.note_outage import NoSystem, WrongTimes, end_outage, note_outage, withdraw_outage

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Shanghai")
DAY = TODAY - timedelta(days=2)


def at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=ZONE)


def sent(cast: Cast, *told: tuple[str, str, date, dict[str, object]]) -> None:
    link = connect(slug="monitor", kind="api", name="Monitor", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    rows = [
        Happening(event=name, key=str(n), at=at(day, 12), object=thing, facts=facts)
        for n, (name, thing, day, facts) in enumerate(told)
    ]
    record(rows, connection=link, now=NOW)


def test_uptime_is_the_share_of_probes_that_were_answered_and_only_of_ones_own_company(cast: Cast) -> None:
    sent(
        cast,
        ("system.probed", "erp", DAY, {"up": True}), ("system.probed", "erp", DAY, {"up": True}),
        ("system.probed", "erp", DAY, {"up": False}), ("system.probed", "erp", DAY, {"latency": 3}),
    )  # fmt: skip

    up, every = probes([cast.qinghe, cast.beiyuan], DAY - timedelta(days=1), DAY)

    assert (up.tolist(), every.tolist()) == ([[0, 0], [0, 2]], [[0, 0], [0, 3]])


def test_outages_that_overlap_count_once_and_those_of_the_park_count_for_every_company(cast: Cast) -> None:
    park = Organization.objects.get(kind="park")
    for place, begin, end in (
        (cast.beiyuan, 10, 13), (cast.beiyuan, 12, 16), (park, 18, 19), (cast.qinghe, 10, 11),
    ):  # fmt: skip
        note_outage(
            organization=place, system="ERP", text="", began_at=at(DAY, begin), ended_at=at(DAY, end), by=EVERYTHING,
            now=NOW,
        )  # fmt: skip

    first = DAY - timedelta(days=1)
    free, every = running_hours([cast.beiyuan, cast.qinghe, cast.purchasing], first, DAY + timedelta(days=1), NOW)

    assert every.tolist()[0][:2] == [0, 24]
    assert free[0].tolist() == pytest.approx([0, 24 - 6 - 1, every[0, 2]])
    assert free[1, 1] == pytest.approx(22)
    assert not every[2].any()


def test_a_requirement_counts_from_its_acceptance_and_no_more_when_it_is_dropped(cast: Cast) -> None:
    sent(
        cast,
        ("requirement.accepted", "a", DAY - timedelta(days=3), {}), ("requirement.accepted", "b", DAY, {}),
        ("requirement.accepted", "c", DAY, {}), ("requirement.released", "a", DAY, {}),
        ("requirement.released", "d", DAY, {}), ("requirement.dropped", "c", DAY + timedelta(days=1), {}),
    )  # fmt: skip

    over, under = released([cast.beiyuan], DAY - timedelta(days=1), DAY + timedelta(days=1))

    assert over.tolist() == [[0, 2, 2]]
    assert under.tolist() == [[1, 4, 3]]


def test_an_outage_is_noted_once_ended_and_taken_back_by_those_who_may(cast: Cast) -> None:
    hua, lin = (cast.viewer(who, TODAY) for who in (cast.hua, cast.lin))
    said: dict[str, Any] = {"organization": cast.beiyuan, "text": "", "began_at": NOW - timedelta(hours=5), "now": NOW}

    made = note_outage(system=" The  ERP ", ended_at=None, by=hua, **said)
    assert note_outage(system="The ERP", ended_at=None, by=hua, **said) == made
    for wrong in (NOW - timedelta(hours=6), NOW + timedelta(hours=1)):
        with pytest.raises(WrongTimes):
            end_outage(outage=made, ended_at=wrong, by=hua, now=NOW)
    with pytest.raises(NoSystem):
        note_outage(system=" ", ended_at=None, by=hua, **said)
    with pytest.raises(WrongTimes):
        note_outage(system="x", ended_at=None, by=hua, **{**said, "began_at": NOW + timedelta(hours=1)})
    for who in (lin, cast.viewer(cast.mo, TODAY)):
        with pytest.raises(NotAllowed):
            end_outage(outage=made, ended_at=NOW, by=who, now=NOW)
    ended = end_outage(outage=made, ended_at=NOW, by=hua, now=NOW)
    assert end_outage(outage=made, ended_at=NOW - timedelta(hours=1), by=hua, now=NOW).ended_at == ended.ended_at
    withdraw_outage(outage=made, by=hua, now=NOW)
    withdraw_outage(outage=made, by=hua, now=NOW)

    assert not Outage.objects.standing().exists()
    deeds = AuditEntry.objects.filter(deed__startswith="outage.").order_by("pk").values_list("deed", flat=True)
    assert list(deeds) == ["outage.noted", "outage.ended", "outage.withdrawn"]
