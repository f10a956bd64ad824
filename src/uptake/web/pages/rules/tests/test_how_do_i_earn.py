"""How do I earn?: the rules in force in sentences, what is used of them today, and every version with its hash."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import NOW, Cast
from uptake.directory.models import Organization
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.models import Connection
from uptake.events.record import record
from uptake.programme.consider import consider_new_events
from uptake.programme.models import RulebookVersion
from uptake.programme.publish import publish

pytestmark = pytest.mark.django_db(transaction=True)
SEEN_AT = NOW + timedelta(minutes=30)
RECEIPT: dict[str, Any] = {
    "rule": "R-02",
    "version": 1,
    "from": "2026-01-01",
    "on": "receipt.posted",
    "when": [{"fact": "minutes", "op": "lte", "value": 240}],
    "points": 10,
    "cap": [{"times": 6, "every": "day"}],
    "title": "Goods receipt on the same day",
}
GONE: dict[str, Any] = RECEIPT | {"rule": "R-09", "until": "2026-02-01", "title": "Gone since February"}


@pytest.fixture(autouse=True)
def _the_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: SEEN_AT)


def published(place: Organization, *rules: dict[str, Any], day: date = date(2026, 1, 1)) -> RulebookVersion:
    return publish(rulebook={"rules": list(rules)}, organization=place, in_force_date=day, by=EVERYTHING, now=NOW)


def text_of(client: Client, address: str = "/rules/") -> str:
    response = client.get(address)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def test_a_rule_stands_as_a_sentence_with_what_is_used_of_its_cap(cast: Cast) -> None:
    published(cast.beiyuan, RECEIPT, GONE)
    desk = Connection.objects.filter(slug="orders").first() or Connection.objects.create(
        slug="orders", kind="api", name="Orders", organization=cast.beiyuan, created_at=NOW
    )
    for n in range(2):
        lin = cast.identities["lin"].external_id
        record([Happening("receipt.posted", f"GR-{n}", NOW, lin, "", {"minutes": 5})], connection=desk, now=NOW)
    while consider_new_events(now=SEEN_AT):
        pass

    page = text_of(cast.sign_in(cast.lin))

    assert "1 rule, version 1, from 1 Jan 2026." in page
    assert "Goods receipt on the same day" in page
    assert "same day R-02" not in page, "the short name is for those who keep the rules"
    assert "10 points for each" in page
    assert "at most 240" in page
    assert "At most 6 times a day" in page
    assert "2 of 6 today" in page
    assert "Gone since February" not in page
    assert "0 of 6 today" in text_of(cast.sign_in(cast.hua)), "everyone sees the own use"


def test_a_version_keeps_its_hash_and_can_be_read_when_it_is_old_or_to_come(cast: Cast) -> None:
    first = published(cast.beiyuan, RECEIPT)
    second = published(cast.beiyuan, RECEIPT | {"version": 2, "points": 12}, day=date(2026, 6, 1))
    client = cast.sign_in(cast.lin)

    now, later = text_of(client), text_of(client, f"/rules/?v={second.pk}")

    assert first.sha256 in now
    assert "+10" in now
    assert "in force" in now
    assert second.sha256 in later
    assert "+12" in later
    assert "This version is not in force yet; it begins on 1 Jun 2026." in later
    assert "of 6 today" not in later


@pytest.mark.parametrize(("who", "sees"), [("lin", True), ("hua", True), ("ren", True), ("mo", False)])
def test_the_rules_of_a_company_are_for_those_who_belong_there_or_see_its_totals(
    cast: Cast, who: str, sees: bool
) -> None:
    version = published(cast.beiyuan, RECEIPT)
    client = cast.sign_in(cast.people()[who])

    assert client.get("/rules/", {"at": "beiyuan"}).status_code == (200 if sees else 404)
    assert ("Goods receipt on the same day" in client.get("/rules/", {"at": "beiyuan"}).content.decode()) == sees
    if not sees:
        assert client.get("/rules/", {"v": version.pk}).status_code in (200, 404)
        assert version.sha256 not in client.get("/rules/", {"v": version.pk}).content.decode()


def test_the_rulebook_of_the_park_is_that_of_companies_without_their_own(cast: Cast) -> None:
    published(cast.park, RECEIPT | {"title": "Rule of the park"})

    assert "Rule of the park" in text_of(cast.sign_in(cast.mo))


def test_without_a_rulebook_the_page_says_so(cast: Cast) -> None:
    assert "No rules are in force here" in text_of(cast.sign_in(cast.lin))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_renders_in_both_languages(cast: Cast, language: str) -> None:
    published(cast.beiyuan, RECEIPT)
    client = cast.sign_in(cast.lin)
    client.cookies["django_language"] = language

    assert f'lang="{"en" if language == "en" else "zh-Hans"}"' in client.get("/rules/").content.decode()
