"""Groups that want it hear the week in figures on Monday morning by their place's clock, once; nobody else does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry, Organization
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.notify.models import About, Chat, Delivery, Webhook
from uptake.notify.subscribe import make_channel
from uptake.notify.tell_week import NothingToTell, send_week, set_weekly, tell_weeks
from uptake.notify.word import WordsRefused, word

pytestmark = pytest.mark.django_db
MONDAY_9 = datetime(2026, 5, 18, 1, 0, tzinfo=UTC)
"""9:00 on a Monday in Linjiang."""
WEEK = {
    "first": "2026-05-11", "place": "Beiyuan", "staff": 50, "active": 31, "points": 1240, "questions": 1,
    "top": "Purchasing", "top_share": 0.8,
}  # fmt: skip


def figures(_place: Organization, monday: date) -> Mapping[str, Any]:
    assert monday == date(2026, 5, 11)
    return WEEK


def group(cast: Cast, *about: str, language: str = "en") -> Webhook:
    return make_channel(
        organization=cast.beiyuan, name="All", chat=Chat.WECOM, about=about, language=language,
        address="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=5f0c2b9a-1234-4cde-9f00-aabbccddeeff",
        by=cast.viewer(cast.ren), now=NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (MONDAY_9 - timedelta(minutes=1), 0),
        (MONDAY_9, 1),
        (MONDAY_9 + timedelta(hours=9), 0),
        (MONDAY_9 + timedelta(days=2, hours=1), 1),
        (MONDAY_9 + timedelta(days=3), 0),
    ],
)
def test_it_comes_once_in_the_working_hours_of_the_place(cast: Cast, at: datetime, told: int) -> None:
    hook = group(cast, About.WEEK)
    group(cast, About.ANNOUNCEMENTS)

    assert tell_weeks(now=at, figures=figures) == told
    assert tell_weeks(now=at + timedelta(minutes=15), figures=figures) == (at == MONDAY_9 - timedelta(minutes=1))
    for row in Delivery.objects.all():
        assert (row.webhook, row.key) == (hook, "week/2026-05-11")
        said = json.loads(row.body)
        assert said["text"].splitlines() == [
            "Beiyuan, week from 11 May",
            "Active: 62% (31 of 50 people)",
            "Most active: Purchasing, 80%",
            "1,240 points given by rules",
            "1 question waits for an answer",
        ]


def test_it_is_told_in_the_words_of_the_place(cast: Cast) -> None:
    group(cast, About.WEEK)
    group(cast, About.WEEK, language="zh-hans")
    ours = {"en": {"chat": "Good morning, {company}!\n{figures}\nKeep going."}}
    word(place=cast.park, kind="week.told", phrases={"en": {"chat": "{figures}"}}, by=EVERYTHING, now=NOW)
    word(place=cast.beiyuan, kind="week.told", phrases=ours, by=EVERYTHING, now=NOW)

    assert tell_weeks(now=MONDAY_9, figures=figures) == 2

    said, chinese = (json.loads(row.body) for row in Delivery.objects.order_by("webhook_id"))
    assert said["title"] == "Good morning, Beiyuan Precision!"
    assert said["text"].splitlines()[1:] == [
        "Active: 62% (31 of 50 people)", "Most active: Purchasing, 80%", "1,240 points given by rules",
        "1 question waits for an answer", "Keep going.",
    ]  # fmt: skip
    assert chinese["title"] == "一周数据", "what is not worded stays as shipped"
    with pytest.raises(WordsRefused):
        word(place=cast.beiyuan, kind="week.told", phrases={"en": {"chat": "Nothing"}}, by=EVERYTHING, now=NOW)


def test_it_is_switched_on_and_sent_by_those_who_manage_the_data(cast: Cast) -> None:
    hook, ren = group(cast, About.ANNOUNCEMENTS), cast.viewer(cast.ren)

    set_weekly(webhook=hook, wanted=True, by=ren, now=NOW)
    set_weekly(webhook=hook, wanted=True, by=ren, now=NOW)
    send_week(webhook=hook, figures=figures, by=ren, now=MONDAY_9 + timedelta(hours=12))
    hook.refresh_from_db()
    assert hook.about == ["announcements", "week"]
    assert Delivery.objects.count() == 1
    deeds = AuditEntry.objects.filter(deed__startswith="chat.week").order_by("pk")
    assert list(deeds.values_list("deed", flat=True)) == ["chat.week_on", "chat.week_sent"]
    set_weekly(webhook=hook, wanted=False, by=ren, now=NOW)
    assert tell_weeks(now=MONDAY_9, figures=figures) == 0
    with pytest.raises(NothingToTell):
        send_week(webhook=hook, figures=lambda _place, _monday: None, by=ren, now=NOW)
    for person in (cast.hua, cast.mo):
        with pytest.raises(NotAllowed):
            set_weekly(webhook=hook, wanted=True, by=cast.viewer(person), now=NOW)
