"""One company's events cannot be considered: it waits beside the bookmark, the others go on, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from tests.cast import NOW, Cast, person, place
from uptake.directory.models import AuditEntry, Identity, Kind, Organization, Person
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.events.happening import Happening
from uptake.events.models import Connection
from uptake.events.read import positions_of
from uptake.events.record import record
from uptake.ledger.verify import verify
from uptake.notify.models import Message
from uptake.programme import consider, put_aside
from uptake.programme.consider import catch_up_due, consider_new_events
from uptake.programme.models import Award, PutAside
from uptake.programme.post_differences import insert_awards
from uptake.programme.publish import READER, publish
from uptake.programme.put_aside import try_again
from uptake.programme.tests.world import RULES

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


class Three:
    """Beiyuan, Qinghe and Dongshan, with one person each who processes orders."""

    def __init__(self, cast: Cast) -> None:
        publish(
            rulebook={"rules": RULES}, organization=cast.park, in_force_date=date(2020, 1, 1), by=EVERYTHING, now=NOW
        )
        dongshan = place(kind=Kind.COMPANY, name="Dongshan Glass", slug="dongshan", parent=cast.park)
        who = {cast.beiyuan: cast.lin, cast.qinghe: cast.mo, dongshan: person(name="Tan Wen", at=dongshan)}
        self.companies: list[Organization] = list(who)
        self.beiyuan, self.qinghe, self.dongshan = self.companies
        self.people: dict[Organization, Person] = who
        for company, one in who.items():
            Connection.objects.create(
                slug=f"c{company.pk}", kind="api", name=company.name, organization=company, created_at=NOW
            )
            Identity.objects.create(
                source=f"c{company.pk}", external_id="one", company=company, person=one, first_seen_at=NOW
            )
        self.number = 0

    def work(self, at: datetime, lines: int = 10, count: int = 1) -> None:
        """Everybody processes so many orders."""
        for company in self.companies:
            done = []
            for _ in range(count):
                self.number += 1
                done.append(Happening("order.processed", f"k{self.number}", at, "one", "", {"lines": lines}))
            record(done, connection=Connection.objects.get(slug=f"c{company.pk}"), now=at)

    def points(self) -> list[int]:
        return [
            sum(Award.objects.filter(company=company).values_list("points", flat=True)) for company in self.companies
        ]


@pytest.fixture
def three(cast: Cast) -> Three:
    return Three(cast)


@contextmanager
def broken(company: Organization, error: type[Exception] = AssertionError) -> Iterator[None]:
    """Writing awards of this company fails."""

    def inserting(awards: Any, now: datetime) -> None:
        if any(one.company_id == company.pk for one in awards):
            raise error("planted: person/42 has -1 points")
        insert_awards(awards, now)

    with patch.object(consider, "insert_awards", inserting):
        yield


def test_the_others_go_on_and_the_company_catches_up(three: Three) -> None:
    three.work(NOW)
    with broken(three.qinghe):
        while consider_new_events(now=NOW + MINUTE):
            pass
        three.work(NOW + 2 * MINUTE)
        while consider_new_events(now=NOW + 3 * MINUTE):
            pass

        assert three.points() == [20, 0, 20]
        row = PutAside.objects.get()
        assert row.company_id == three.qinghe.pk
        assert (row.since, row.tries) == (NOW + MINUTE, 1)
        assert positions_of(READER)[0].id > row.event_id, "the bookmark went on"
        assert verify().holds
        assert catch_up_due(now=NOW + 4 * MINUTE) == 0
        row.refresh_from_db()
        assert row.tries == 2
        assert row.next_try_at == NOW + 5 * MINUTE, "each pause is twice as long"

    assert catch_up_due(now=NOW + 4 * MINUTE + timedelta(seconds=30)) == 0, "its time has not come"
    assert catch_up_due(now=NOW + 5 * MINUTE) == 2
    assert three.points() == [20, 20, 20]
    assert not PutAside.objects.exists()
    assert verify().holds
    three.work(NOW + 6 * MINUTE)
    assert consider_new_events(now=NOW + 7 * MINUTE) == 3
    assert three.points() == [30, 30, 30]


def test_what_is_kept_of_a_failure_names_nobody(three: Three) -> None:
    three.work(NOW)
    with broken(three.qinghe):
        consider_new_events(now=NOW + MINUTE)

    assert PutAside.objects.get().what == "AssertionError: uptake/programme/tests/test_put_aside.py, inserting"
    noted = AuditEntry.objects.get(deed=put_aside.PUT_ASIDE)
    assert noted.organization == three.qinghe
    assert "42" not in str(noted.details)


def test_who_runs_the_platform_is_told_once(cast: Cast, three: Three) -> None:
    three.work(NOW)
    with broken(three.qinghe):
        consider_new_events(now=NOW + MINUTE)
        catch_up_due(now=NOW + 5 * MINUTE)

    told = Message.objects.filter(kind="platform.put_aside")
    assert [(one.person, one.content["title"]) for one in told] == [(cast.an, "Qinghe Textile")]


def test_a_database_that_is_gone_puts_nobody_aside(three: Three) -> None:
    three.work(NOW)
    with broken(three.qinghe, OperationalError), pytest.raises(OperationalError):
        consider_new_events(now=NOW + MINUTE)

    assert not PutAside.objects.exists()
    assert three.points() == [0, 0, 0]
    assert consider_new_events(now=NOW + MINUTE) == 3
    assert three.points() == [10, 10, 10]


def test_a_process_that_is_killed_between_the_steps_loses_nothing(three: Three) -> None:
    """All are put aside, then one after the other caught up: whoever comes next finds those that were not."""
    three.work(NOW)
    with broken(three.dongshan), patch.object(consider, "catch_up", side_effect=KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            consider_new_events(now=NOW + MINUTE)
        assert PutAside.objects.count() == len(three.companies)
        assert not PutAside.objects.failed().exists(), "nothing is said of those that only wait for their turn"

    three.work(NOW + 2 * MINUTE)
    consider_new_events(now=NOW + 3 * MINUTE)
    assert three.points() == [0, 0, 0]
    catch_up_due(now=NOW + 3 * MINUTE)
    assert three.points() == [20, 20, 20]
    assert not PutAside.objects.exists()


def test_a_process_that_is_killed_while_catching_up_begins_where_it_stopped(three: Three) -> None:
    three.work(NOW, lines=1, count=5)
    with broken(three.qinghe):
        consider_new_events(now=NOW + MINUTE)
    done = 0

    def once(*args: Any, **keys: Any) -> Any:
        nonlocal done
        done += 1
        if done > 1:
            raise KeyboardInterrupt
        return missed(*args, **keys)

    three.work(NOW + 2 * MINUTE, lines=1, count=5)
    consider_new_events(now=NOW + 3 * MINUTE)
    missed = consider._consider_missed
    with patch.object(consider, "_consider_missed", once), pytest.raises(KeyboardInterrupt):
        consider.catch_up(three.qinghe.pk, now=NOW + 4 * MINUTE, limit=5)
    assert three.points() == [10, 5, 10]

    catch_up_due(now=NOW + 4 * MINUTE)
    assert three.points() == [10, 10, 10]
    assert not PutAside.objects.exists()


def test_who_runs_the_platform_may_have_it_tried_at_once(cast: Cast, three: Three) -> None:
    three.work(NOW)
    with broken(three.qinghe):
        consider_new_events(now=NOW + MINUTE)

    with pytest.raises(NotAllowed):
        try_again(company=three.qinghe, by=cast.viewer(cast.mo), now=NOW + MINUTE)
    assert try_again(company=three.qinghe, by=cast.viewer(cast.an), now=NOW + MINUTE)
    assert not try_again(company=three.beiyuan, by=cast.viewer(cast.an), now=NOW + MINUTE)
    catch_up_due(now=NOW + MINUTE)
    assert three.points() == [10, 10, 10]


def test_when_all_fail_nobody_is_asked_again_and_again(three: Three) -> None:
    three.work(NOW)
    with patch.object(consider, "insert_awards", side_effect=AssertionError("planted")) as writing:
        while consider_new_events(now=NOW + MINUTE):
            pass
        tries = writing.call_count
        assert PutAside.objects.failed().count() == len(three.companies)
        consider_new_events(now=NOW + MINUTE)
        catch_up_due(now=NOW + MINUTE)
        assert writing.call_count == tries
    catch_up_due(now=NOW + 2 * MINUTE)
    assert three.points() == [10, 10, 10]


def test_a_rulebook_published_meanwhile_finds_the_company_at_the_beginning(three: Three) -> None:
    three.work(NOW)
    with broken(three.qinghe):
        consider_new_events(now=NOW + MINUTE)
    publish(
        rulebook={"rules": [{**RULES[0], "points": 3}]}, organization=three.qinghe, in_force_date=NOW.date(),
        by=EVERYTHING, now=NOW + MINUTE, at_once=True,
    )  # fmt: skip

    consider_new_events(now=NOW + 2 * MINUTE)
    catch_up_due(now=NOW + 2 * MINUTE)
    assert not PutAside.objects.exists()
    assert verify().holds


def test_where_nobody_is_put_aside_one_question_more_is_asked(three: Three) -> None:
    three.work(NOW, count=20, lines=1)
    with CaptureQueriesContext(connection) as asked:
        consider_new_events(now=NOW + MINUTE)

    about = [
        one["sql"] for one in asked if 'FROM "programme_putaside"' in one["sql"] and "personlevel" not in one["sql"]
    ]
    assert len(about) == 1
