"""By an access token one reads what one's level allows, and until when."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import NOW, Cast
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING
from uptake.directory.tokens import make_token
from uptake.programme.merits.define_badge import BadgeTerms, define_badge
from uptake.programme.merits.give_badge import give_by_hand
from uptake.programme.merits.name_privilege import name_privilege
from uptake.programme.models import PersonLevel
from uptake.programme.publish import publish

pytestmark = pytest.mark.django_db


def read(cast: Cast, who: Person) -> Any:
    viewer = cast.viewer(who, timezone.localdate())
    _token, secret = make_token(by=viewer, days=1, now=timezone.now())
    return Client().get("/api/v1/merits", headers={"authorization": f"Bearer {secret}"}).json()


def test_the_level_with_what_it_allows_and_the_badges(cast: Cast) -> None:
    levels = [{"name": "Novice", "at": 0}, {"name": "Skilled", "at": 50}, {"name": "Master", "at": 500}]
    file = {"rules": [], "levels": levels}
    publish(rulebook=file, organization=cast.beiyuan, in_force_date=date(2020, 1, 1), by=EVERYTHING, now=NOW)
    now = timezone.now()
    PersonLevel.objects.create(person=cast.lin, company=cast.beiyuan, rank=1, points=60, since=now, as_of=now)
    hua = cast.viewer(cast.hua, timezone.localdate())
    for code, level, days in (("early", "Novice", None), ("mentor", "Skilled", 30), ("council", "Master", None)):
        name_privilege(company=cast.beiyuan, code=code, level=level, days=days, name_en=code, by=hua, now=now)
    terms = BadgeTerms(kind="hand", name_en="Helping hand")
    badge = define_badge(company=cast.beiyuan, terms=terms, by=hua, now=now)
    give_by_hand(badge_id=badge.pk, person=cast.lin, reason="Kind", by=hua, now=now)
    told = read(cast, cast.lin)
    assert told["level"] == "Skilled"
    assert [(one["code"], one["until"] is None) for one in told["privileges"]] == [("early", True), ("mentor", False)]
    assert date.fromisoformat(told["privileges"][1]["until"]) - now.date() >= timedelta(days=29)
    assert [one["name_en"] for one in told["badges"]] == ["Helping hand"]
    assert read(cast, cast.mo)["privileges"] == []
    page = cast.sign_in(cast.lin).get("/points/").content.decode()
    allowed, coming = page.count("mentor"), page.count("council")
    assert (allowed, coming) == (1, 1), "what the next level opens is told as such, and only there"
    assert "opens: council" in page
    assert "Helping hand" in page
