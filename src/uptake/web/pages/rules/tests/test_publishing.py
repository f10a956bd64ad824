"""Publishing a rulebook by page: first in sentences, then for good, by those who may."""

from __future__ import annotations

import json
from datetime import time, timedelta
from typing import Any

from django.utils import timezone

from tests.cast import Cast
from uptake.directory.place import settings_at
from uptake.programme.models import RulebookVersion


def filled(cast: Cast, **changed: Any) -> dict[str, Any]:
    rule = {"rule": "order", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 7}
    day = (timezone.now() + timedelta(days=2)).date().isoformat()
    return {"place": "beiyuan", "in_force": day, "text": json.dumps({"rules": [rule]}), **changed}


def test_a_checked_rulebook_reads_in_sentences_and_is_not_published(cast: Cast) -> None:
    page = cast.sign_in(cast.ke).post("/rules/publish/", filled(cast, check="1")).content.decode()

    assert "+7" in page
    assert "Publish rulebook" in page
    assert not RulebookVersion.objects.exists()


def test_a_published_rulebook_stands_on_the_page_of_the_rules(cast: Cast) -> None:
    browser = cast.sign_in(cast.ke)

    answer = browser.post("/rules/publish/", filled(cast, publish="1"), follow=True)

    version = RulebookVersion.objects.get()
    assert (version.organization, version.published_by) == (cast.beiyuan, cast.login(cast.ke))
    assert "Rulebook 1 is published" in answer.content.decode()


def test_a_key_that_is_wrong_is_refused_by_name_and_nothing_is_lost(cast: Cast) -> None:
    rule = {
        "rule": "o",
        "version": 1,
        "from": "2026-01-01",
        "on": "x",
        "points": 1,
        "strike": {"every": "day", "length": 3},
    }
    text = json.dumps({"rules": [rule]})

    answer = cast.sign_in(cast.ke).post("/rules/publish/", filled(cast, text=text, publish="1"))

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "rules[0].strike" in page
    assert "&quot;strike&quot;" in page
    assert not RulebookVersion.objects.exists()


def test_nobody_publishes_for_another_company(cast: Cast) -> None:
    answer = cast.sign_in(cast.ke).post("/rules/publish/", filled(cast, place="qinghe", publish="1"))

    assert answer.status_code == 422
    assert "Qinghe" not in answer.content.decode()
    assert not RulebookVersion.objects.exists()


def test_those_who_may_not_manage_rules_are_told_so(cast: Cast) -> None:
    assert cast.sign_in(cast.lin).get("/rules/publish/").status_code == 403
    assert cast.sign_in(cast.hua).post("/rules/publish/", filled(cast, publish="1")).status_code == 403
    assert not RulebookVersion.objects.exists()


def test_a_template_fills_the_form(cast: Cast) -> None:
    page = cast.sign_in(cast.ke).get("/rules/publish/?template=erp_basic").content.decode()

    assert "order.processed" in page


def test_another_clock_in_the_file_is_published_only_if_it_is_wanted(cast: Cast) -> None:
    ke = cast.sign_in(cast.ke)
    told = filled(cast)
    told["text"] = json.dumps(
        {**json.loads(told["text"]), "programme": {"timezone": "Asia/Tokyo", "day_start": "04:00"}}
    )
    checked = ke.post("/rules/publish/", {**told, "check": "1"}).content.decode()
    assert "It changes the clock from its first date on: Asia/Tokyo, days start at 04:00" in checked
    refused = ke.post("/rules/publish/", {**told, "publish": "1"})
    assert refused.status_code == 422
    assert "Leave timezone and day_start out, or let the place go by it" in refused.content.decode()
    assert 'name="changes_clock"' in refused.content.decode()
    assert not RulebookVersion.objects.exists()
    before = settings_at(cast.beiyuan).turns[0]
    answer = ke.post("/rules/publish/", {**told, "publish": "1", "changes_clock": "on"}, follow=True)
    assert "Rulebook 1 is published" in answer.content.decode()
    day = RulebookVersion.objects.get().in_force_date
    now = settings_at(cast.beiyuan)
    assert (now.on(day)[1:], now.on(day - timedelta(days=1))) == (("Asia/Tokyo", time(4)), before)
