"""Announcements: written, told once when their time has come, read, ended; every change of the rules makes one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail

from tests.cast import NOW, TODAY, Cast
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.events.models import Event
from uptake.notify.choose import choose_ways
from uptake.notify.models import Mail, Message, Topic, Way
from uptake.notify.send_mails import send_mails
from uptake.programme.adoption.announce import (
    Wording,
    change_announcement,
    drop_announcement,
    end_announcement,
    write_announcement,
)
from uptake.programme.adoption.mark_read import mark_read
from uptake.programme.adoption.models import Announcement, ReadMark
from uptake.programme.adoption.publish_due import announce_rule_changes, publish_due
from uptake.programme.adoption.refusals import Conflict, Over, TextWrong, TimeWrong
from uptake.programme.publish import publish

pytestmark = pytest.mark.django_db
RULE = {"rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 10, "title": "Orders"}


def words(**more: object) -> Wording:
    told = {"title_en": "Stocktaking", "title_zh": "盘点", "text_en": "On the 30th.", "text_zh": "30 日。", **more}
    return Wording(**told)  # type: ignore[arg-type]


def write(cast: Cast, key: str = "a", **more: object) -> Announcement:
    by = cast.viewer(cast.ke)
    return write_announcement(organization=cast.beiyuan, wording=words(**more), key=key, by=by, now=NOW)


def test_everybody_at_the_place_is_told_once_when_its_time_has_come(cast: Cast) -> None:
    made = write(cast, publishes_at=NOW + timedelta(hours=1), by_mail=True)
    choose_ways(person_id=cast.hua.pk, wanted={Way.MAIL: [Topic.TRAININGS]}, now=NOW)

    assert publish_due(now=NOW) == 0
    assert [publish_due(now=NOW + timedelta(hours=1)) for _turn in range(2)] == [1, 0]
    made.refresh_from_db()
    assert made.state(NOW + timedelta(hours=1)) == "published"
    told = Message.objects.filter(kind="announcement.published")
    assert {one.person for one in told} == {cast.lin, cast.hua, cast.ke}
    assert {one.person for one in Mail.objects.all()} == {cast.lin, cast.ke}
    assert send_mails(now=NOW + timedelta(hours=1)) == 2
    assert send_mails(now=NOW + timedelta(hours=2)) == 0
    assert {one.subject for one in mail.outbox} == {"Stocktaking"}
    assert f"/news/{made.pk}/" in mail.outbox[0].body


def test_only_those_it_is_for_see_it_and_only_writers_before_it_is_told(cast: Cast) -> None:
    made = write(cast)

    def seen(who: str) -> bool:
        viewer = cast.viewer(cast.people()[who])
        return Announcement.objects.visible_to(viewer).filter(pk=made.pk).exists()

    assert [who for who in cast.people() if seen(who)] == ["ke", "ren", "an"]
    change_announcement(announcement=made, wording=words(publishes_at=NOW), by=cast.viewer(cast.ke), now=NOW)
    publish_due(now=NOW)
    assert [who for who in cast.people() if not seen(who)] == ["mo"]
    with pytest.raises(NotAllowed):
        end_announcement(announcement=made, by=cast.viewer(cast.hua), now=NOW)


@pytest.mark.parametrize(
    ("told", "refused"),
    [
        ({"text_zh": " "}, TextWrong),
        ({"title_en": "x" * 121}, TextWrong),
        ({"publishes_at": NOW, "ends_at": NOW}, TimeWrong),
        ({"ends_at": NOW + timedelta(days=1)}, TimeWrong),
    ],
)
@pytest.mark.once
def test_what_does_not_fit_is_refused(cast: Cast, told: dict[str, Any], refused: type[Exception]) -> None:
    with pytest.raises(refused):
        write(cast, **told)


def test_what_was_told_no_longer_changes_but_can_be_ended(cast: Cast) -> None:
    made = write(cast, publishes_at=NOW)
    assert write(cast, publishes_at=NOW) == made
    with pytest.raises(Conflict):
        write(cast, title_en="Another")
    publish_due(now=NOW)
    ke = cast.viewer(cast.ke)
    for deed in (
        lambda: change_announcement(announcement=made, wording=words(), by=ke, now=NOW),
        lambda: drop_announcement(announcement=made, by=ke, now=NOW),
    ):
        with pytest.raises(Over):
            deed()

    later = NOW + timedelta(days=1)
    assert Announcement.objects.current(later).exists()
    assert end_announcement(announcement=made, by=ke, now=later).state(later) == "ended"
    assert not Announcement.objects.current(later).exists()


def test_reading_leaves_one_mark_and_one_event(cast: Cast) -> None:
    made = write(cast, publishes_at=NOW)
    lin = cast.viewer(cast.lin)
    assert not mark_read(announcement=made, by=lin, now=NOW)
    publish_due(now=NOW)
    made.refresh_from_db()

    assert [mark_read(announcement=made, by=lin, now=NOW + timedelta(hours=turn)) for turn in (0, 1)] == [True, False]
    assert not mark_read(announcement=made, by=cast.viewer(cast.wei), now=NOW), "it is for people of Beiyuan"
    assert ReadMark.objects.get().person == cast.lin
    event = Event.objects.get(name="announcement.read")
    assert (event.identity.person, event.company) == (cast.lin, cast.beiyuan)  # type: ignore[union-attr]


def test_every_published_change_makes_one_with_its_diff_in_both_languages(cast: Cast) -> None:
    told = {"organization": cast.beiyuan, "by": EVERYTHING}
    publish(rulebook={"rules": [RULE]}, in_force_date=date(2026, 1, 1), now=NOW, **told)  # type: ignore[arg-type]
    later = NOW + timedelta(hours=1)
    publish(rulebook={"rules": [{**RULE, "points": 12}]}, in_force_date=TODAY + timedelta(days=3), now=later, **told)  # type: ignore[arg-type]

    assert [announce_rule_changes(now=later) for _turn in range(2)] == [2, 0]
    first, change = Announcement.objects.order_by("rulebook__number")
    assert (first.by_mail, change.by_mail, change.at_once) == (False, True, False)
    assert "12" in change.text_en
    assert "Until now" in change.text_en
    assert "12" in change.text_zh
    assert "2026" in change.title_zh
    assert publish_due(now=later) == 2
    assert Message.objects.filter(person=cast.lin, kind="announcement.published").count() == 2


def test_a_lowering_at_once_says_that_it_holds_already(cast: Cast) -> None:
    told = {"organization": cast.beiyuan, "by": EVERYTHING}
    publish(rulebook={"rules": [RULE]}, in_force_date=date(2026, 1, 1), now=NOW, **told)  # type: ignore[arg-type]
    later = NOW + timedelta(hours=1)
    publish(rulebook={"rules": [{**RULE, "points": 2}]}, in_force_date=TODAY, now=later, at_once=True, **told)  # type: ignore[arg-type]

    announce_rule_changes(now=later)
    lowered = Announcement.objects.get(rulebook__number=2)
    assert (lowered.at_once, lowered.pinned) == (True, True)
    assert "lowered at once" in lowered.title_en
