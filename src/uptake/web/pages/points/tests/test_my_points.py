"""My points: what is there, where it came from and why; nobody reads another's without the right to."""

from __future__ import annotations

import html
import json
import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import NOW, Cast
from uptake.directory.models import Membership, User
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.models import Connection, EventType
from uptake.events.record import record
from uptake.ledger.grant import Grant, grant
from uptake.ledger.hold import hold
from uptake.ledger.proof import BrokenProof, check_proof
from uptake.programme.consider import consider_new_events
from uptake.programme.publish import publish
from uptake.programme.rewards.models import Reward

pytestmark = pytest.mark.django_db(transaction=True)
SEEN_AT = NOW + timedelta(minutes=30)
RULES: list[dict[str, Any]] = [
    {
        "rule": "R-02",
        "version": 1,
        "from": "2026-01-01",
        "on": "receipt.posted",
        "when": [{"fact": "minutes", "op": "lte", "value": 240}],
        "points": 10,
        "cap": [{"times": 2, "every": "day"}],
        "title": "Goods receipt on the same day",
    },
    {
        "rule": "R-03",
        "version": 1,
        "from": "2026-01-01",
        "on": "stock.counted",
        "points": {"per": "lines"},
        "title": "Stock count",
    },
]


@pytest.fixture(autouse=True)
def _the_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: SEEN_AT)


@pytest.fixture
def desk(cast: Cast) -> Connection:
    EventType.objects.create(name="receipt.posted", label_en="Goods receipt", label_zh="收货", created_at=NOW)
    publish(
        rulebook={"rules": RULES}, organization=cast.beiyuan, in_force_date=date(2026, 1, 1), by=EVERYTHING, now=NOW
    )
    return Connection.objects.filter(slug="orders").first() or Connection.objects.create(
        slug="orders", kind="api", name="Orders", organization=cast.beiyuan, created_at=NOW
    )


def work(cast: Cast, desk: Connection, name: str, key: str, at: datetime = NOW, who: str = "lin", **facts: Any) -> None:
    happening = Happening(name, key, at, cast.identities[who].external_id, key, facts)
    assert record([happening], connection=desk, now=at)[0].fate == "new"
    while consider_new_events(now=SEEN_AT):
        pass


def text_of(client: Client, address: str = "/points/") -> str:
    response = client.get(address)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def test_the_figure_the_month_and_the_week_are_those_of_the_awards(cast: Cast, desk: Connection) -> None:
    work(cast, desk, "stock.counted", "IC-0", NOW - timedelta(days=40), lines=4)
    work(cast, desk, "receipt.posted", "GR-1", minutes=33)
    work(cast, desk, "stock.counted", "IC-1", lines=6)

    page = text_of(cast.sign_in(cast.lin))

    assert "Points to spend 20 " in page
    assert "+16 this month" in page
    assert "11 May: 16" in cast.sign_in(cast.lin).get("/points/").content.decode()


def test_what_no_rule_gave_counts_in_the_month_the_week_and_the_sources(cast: Cast, desk: Connection) -> None:
    work(cast, desk, "stock.counted", "IC-1", lines=6)
    for key, cause, points in (("special/7", "special/7", 30), ("prize/3", "prize/3", 50)):
        given = Grant(
            book=cast.beiyuan.pk, key=key, lot=key, owner=str(cast.lin.pk), points=points, cause=cause,
            happened_at=NOW, available_from=NOW, reason="test",
        )  # fmt: skip
        grant([given], now=SEEN_AT)

    page = text_of(cast.sign_in(cast.lin))

    assert "+86 this month" in page
    sources = page[page.index("Where my points came from") :]
    assert re.search(r"Prize of a ranking 50 Special points 30 Stock count 6\b", sources)
    assert "11 May: 86" in cast.sign_in(cast.lin).get("/points/").content.decode()


def test_every_line_says_why_also_those_that_paid_nothing(cast: Cast, desk: Connection) -> None:
    work(cast, desk, "receipt.posted", "GR-1", minutes=33)
    work(cast, desk, "receipt.posted", "GR-2", NOW + timedelta(minutes=1), minutes=312)
    work(cast, desk, "receipt.posted", "GR-3", NOW + timedelta(minutes=2), minutes=10)
    work(cast, desk, "receipt.posted", "GR-4", NOW + timedelta(minutes=3), minutes=10)

    page = text_of(cast.sign_in(cast.lin))

    assert "Goods receipt GR-1" in page
    assert "Why +10?" in page
    assert "Why 0?" in page
    assert "A condition does not hold" in page
    assert "312" in page
    assert "Daily cap reached" in page
    assert "2 of 2 paid times used" in page
    assert "There is room again from" in page


def test_the_list_is_filtered_by_what_was_paid_and_by_rule(cast: Cast, desk: Connection) -> None:
    work(cast, desk, "receipt.posted", "GR-1", minutes=33)
    work(cast, desk, "receipt.posted", "GR-2", NOW + timedelta(minutes=1), minutes=312)
    work(cast, desk, "stock.counted", "IC-1", lines=6)
    client = cast.sign_in(cast.lin)

    paid, unpaid, counts = (text_of(client, f"/points/?{query}") for query in ("show=paid", "show=unpaid", "rule=R-03"))

    assert "GR-1" in paid
    assert "GR-2" not in paid
    assert "GR-2" in unpaid
    assert "GR-1" not in unpaid
    assert "IC-1" in counts
    assert "GR-1" not in counts


def test_the_list_is_cut_into_pages(cast: Cast, desk: Connection) -> None:
    happenings = [
        Happening(
            "stock.counted",
            f"IC-{n:02}",
            NOW + timedelta(seconds=n),
            cast.identities["lin"].external_id,
            f"IC-{n:02}",
            {"lines": 1},
        )
        for n in range(35)
    ]
    record(happenings, connection=desk, now=NOW)
    while consider_new_events(now=SEEN_AT):
        pass
    client = cast.sign_in(cast.lin)

    first, second = text_of(client), text_of(client, "/points/?page=2")

    assert "IC-34" in first
    assert "IC-04" not in first
    assert "Page 1 of 2" in first
    assert "IC-04" in second


def test_the_number_of_queries_does_not_grow_with_the_awards(
    cast: Cast, desk: Connection, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        work(cast, desk, "stock.counted", f"IC-{n}", NOW + timedelta(seconds=n), lines=1)
    client = cast.sign_in(cast.lin)

    with django_assert_max_num_queries(50):
        client.get("/points/")


@pytest.mark.parametrize("who", ["ren", "shu", "an"])
def test_those_who_read_the_ledger_open_a_persons_points(cast: Cast, desk: Connection, who: str) -> None:
    work(cast, desk, "receipt.posted", "GR-1", minutes=33)

    page = text_of(cast.sign_in(cast.people()[who]), f"/points/{cast.lin.pk}/")

    assert "Points of Lin Fang" in page
    assert "Read only" in page
    assert "GR-1" in page


@pytest.mark.parametrize("who", ["mo", "hua", "wei", "ke"])
def test_others_do_not_learn_that_the_person_exists(cast: Cast, desk: Connection, who: str) -> None:
    client = cast.sign_in(cast.people()[who])

    assert client.get(f"/points/{cast.lin.pk}/").status_code == 404
    assert client.get("/points/999999/").status_code == 404


def test_the_own_page_shows_nothing_of_others(cast: Cast, desk: Connection) -> None:
    work(cast, desk, "receipt.posted", "GR-1", minutes=33)
    work(cast, desk, "receipt.posted", "GR-HUA", who="hua", minutes=33)

    assert "GR-HUA" not in text_of(cast.sign_in(cast.lin))
    assert "GR-1" not in text_of(cast.sign_in(cast.hua))
    assert "Beiyuan" not in text_of(cast.sign_in(cast.mo))


def test_who_has_earned_nothing_reads_what_to_do(cast: Cast) -> None:
    assert "No entries yet" in text_of(cast.sign_in(cast.lin))


def test_who_belongs_to_no_company_reads_why_there_is_nothing(cast: Cast) -> None:
    Membership.objects.filter(person=cast.lin).delete()

    assert "You belong to no company yet" in text_of(cast.sign_in(cast.lin))


def test_a_login_without_a_person_reads_who_can_help(cast: Cast) -> None:
    client = Client()
    client.force_login(
        User.objects.create(username="robot", language="en"), backend="django.contrib.auth.backends.ModelBackend"
    )

    assert "This login belongs to no person" in text_of(client)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_speaks_the_language_of_the_reader(cast: Cast, desk: Connection, language: str) -> None:
    work(cast, desk, "receipt.posted", "GR-1", minutes=33)
    client = cast.sign_in(cast.lin)
    client.cookies["django_language"] = language

    page = text_of(client)

    assert ("收货 GR-1" in page) == (language == "zh-hans")
    assert ("Goods receipt GR-1" in page) == (language == "en")


def test_what_is_no_award_stands_in_the_list_and_can_be_questioned(cast: Cast, desk: Connection) -> None:
    work(cast, desk, "receipt.posted", "GR-1", minutes=33)
    hold(book=cast.beiyuan.pk, key="redemption/7", owner=str(cast.lin.pk), points=4, cause="redemption/7", now=SEEN_AT)
    client = cast.sign_in(cast.lin)

    page, others = client.get("/points/").content.decode(), text_of(client, "/points/?show=other")

    assert "−4" in page
    assert f"/appeals/new/?company={cast.beiyuan.slug}&amp;entry=redemption%2F7" in page
    assert client.get(f"/appeals/new/?company={cast.beiyuan.slug}&entry=redemption%2F7").status_code == 200
    assert "4 points are reserved for a reward" in others
    assert "GR-1" not in others
    assert "4 points are reserved" not in text_of(cast.sign_in(cast.mo))


def test_the_proof_is_signed_and_a_changed_digit_is_found(cast: Cast, desk: Connection) -> None:
    work(cast, desk, "receipt.posted", "GR-1", minutes=33)
    work(cast, desk, "receipt.posted", "GR-HUA", who="hua", minutes=33)
    client = cast.sign_in(cast.lin)

    answer = client.get("/points/proof/")
    public_key = Client().get("/points/proof-key/").content.decode().strip()
    found = check_proof(answer.json(), public_key=public_key)

    assert answer["Content-Disposition"].startswith("attachment")
    assert found.balances == {"available": 10, "pending": 0, "held": 0, "debt": 0}
    assert found.owner == str(cast.lin.pk)
    assert f"person/{cast.hua.pk}/" not in answer.content.decode()
    text = answer.content.decode()
    for told in ('"available": 10', '"seq": 2', '"points": 10', found.hash[:20]):
        assert told in text
        changed = json.loads(text.replace(told, told[:-1] + ("1" if told[-1] != "1" else "2"), 1))
        with pytest.raises(BrokenProof):
            check_proof(changed, public_key=public_key)


def test_the_level_tells_what_is_missing_and_what_the_next_one_opens(cast: Cast) -> None:
    rulebook = {"rules": RULES, "levels": [{"name": "Starter", "at": 0}, {"name": "Steady hand", "at": 25}]}
    publish(rulebook=rulebook, organization=cast.beiyuan, in_force_date=date(2026, 1, 1), by=EVERYTHING, now=NOW)
    desk = Connection.objects.create(
        slug="orders", kind="api", name="Orders", organization=cast.beiyuan, created_at=NOW
    )
    mug = {"kind": "goods", "name_en": "Mug", "price": 5, "level": "Steady hand", "created_at": NOW}
    Reward.objects.create(company=cast.beiyuan, **mug)
    work(cast, desk, "receipt.posted", "GR-1", minutes=33)

    page = text_of(cast.sign_in(cast.lin))

    assert "Level 1 · Starter 15 to Steady hand" in page
    assert "Steady hand opens: Mug" in page
