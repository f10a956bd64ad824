"""News, trainings, feedback and the guide by page: written, read, answered; small groups and names stay hidden."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.cast import Cast
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING
from uptake.events.models import Event
from uptake.notify.models import Mail, Message
from uptake.programme.adoption.models import Announcement, Enrolment, Feedback, Guide, Training
from uptake.programme.drafting.models import Draft
from uptake.programme.publish import publish

pytestmark = [pytest.mark.django_db, pytest.mark.once]
NEWS = {
    "title_en": "Stocktaking",
    "title_zh": "盘点",
    "text_en": "On the <b>30th</b>.",
    "text_zh": "30 日。",
    "publishes_at": "",
    "place": "beiyuan",
    "key": "a",
}


def test_an_announcement_is_written_read_and_ended(cast: Cast) -> None:
    ke, lin = cast.sign_in(cast.ke), cast.sign_in(cast.lin)
    assert "Nothing here" in lin.get("/news/").content.decode()
    assert lin.get("/news/new/").status_code == 403
    assert ke.post("/news/new/", {**NEWS, "text_zh": ""}).status_code == 422
    assert ke.post("/news/new/", {**NEWS, "publishes_at": "soon"}).status_code == 422
    assert ke.post("/news/new/", {**NEWS, "do": "draft"}).status_code == 302
    address = f"/news/{Announcement.objects.get().pk}/"
    assert lin.get(address).status_code == 404
    assert ke.post(f"{address}change/", {**NEWS, "by_mail": "1"}).status_code == 302

    assert Message.objects.filter(person=cast.lin, kind="announcement.published").exists()
    assert "Unread" in lin.get("/news/").content.decode()
    assert "Stocktaking" in lin.get("/points/").content.decode()
    assert "On the &lt;b&gt;30th" in lin.get(address).content.decode()
    assert "Unread" not in lin.get("/news/").content.decode()
    assert lin.post(address, {"do": "end"}).status_code == 422
    assert ke.post(address, {"do": "pin"}).status_code == 302
    assert ke.post(address, {"do": "end"}).status_code == 302
    assert "Stocktaking" not in lin.get("/news/").content.decode()
    assert "Stocktaking" in lin.get("/news/?show=ended").content.decode()


def test_mails_are_chosen_in_the_account(cast: Cast) -> None:
    lin = cast.sign_in(cast.lin)
    assert "Answers to your feedback" in lin.get("/account/messages/").content.decode()
    assert lin.post("/account/messages/", {"feedback/page": "on", "feedback/mail": "on"}).status_code == 302
    cast.sign_in(cast.ke).post("/news/new/", {**NEWS, "by_mail": "1"})

    assert {one.person for one in Mail.objects.all()} == {cast.hua, cast.ke}


def test_a_training_is_planned_attended_and_counted(cast: Cast) -> None:
    wei, lin = cast.sign_in(cast.wei), cast.sign_in(cast.lin)
    starts = timezone.localtime() + timedelta(days=1)
    told = {"title_en": "Counting", "where": "Hall B", "minutes": "60", "starts_at": f"{starts:%Y-%m-%dT%H:%M}",
            "place": "beiyuan", "key": "a", "capacity": "1"}  # fmt: skip
    assert wei.post("/trainings/new/", {**told, "starts_at": "x"}).status_code == 422
    assert wei.post("/trainings/new/", {**told, "minutes": "x"}).status_code == 422
    assert wei.post("/trainings/new/", told).status_code == 302
    training = Training.objects.get()
    address = f"/trainings/{training.pk}/"
    assert lin.post(address, {"do": "enrol"}).status_code == 302
    assert "You are enrolled" in lin.get(address).content.decode()
    assert training.code not in lin.get(address).content.decode()
    assert training.code in wei.get(address).content.decode()

    Training.objects.update(starts_at=timezone.now() - timedelta(minutes=10))
    assert lin.post(address, {"do": "attended", "person": cast.lin.pk}).status_code == 422
    assert lin.post(address, {"do": "code", "code": "nope"}).status_code == 422
    assert lin.post(address, {"do": "code", "code": training.code}).status_code == 302
    file = SimpleUploadedFile("who.csv", b"name,number\nKe,B003\nGhost,X1\n")
    page = wei.post(address, {"do": "file", "file": file}).content.decode()
    assert "line 3: Ghost" in page
    assert wei.post(address, {"do": "attended", "person": cast.hua.pk, "minutes": "30"}).status_code == 302
    assert dict(Enrolment.objects.values_list("person_id", "how")) == {
        cast.lin.pk: "code", cast.ke.pk: "file", cast.hua.pk: "hand",
    }  # fmt: skip
    assert "1 h" in lin.get("/trainings/").content.decode()


def test_feedback_is_answered_and_rated_and_anonymous_stays_so(cast: Cast) -> None:
    lin, hua, ren, ke = (cast.sign_in(one) for one in (cast.lin, cast.hua, cast.ren, cast.ke))
    told = {"about": "tool", "title": "Printer", "text": "Loses labels.", "key": "a", "anonymous": "1", "shared": "1"}
    assert lin.post("/feedback/", {**told, "about": "x"}).status_code == 422
    assert lin.post("/feedback/", told).status_code == 302
    address = f"/feedback/{Feedback.objects.get().pk}/"

    assert "Printer" in hua.get("/feedback/desk/").content.decode()
    page = hua.get(address).content.decode()
    assert "Lin Fang" not in page
    assert "A colleague" in page
    assert Feedback.objects.get().state == "seen"
    assert "Uncover the author" not in page
    assert hua.post(address, {"do": "answer", "state": "done", "answer": ""}).status_code == 422
    assert hua.post(address, {"do": "answer", "state": "done", "answer": "Replaced."}).status_code == 302
    assert "Lin Fang" not in ke.get("/feedback/").content.decode()
    assert "Replaced." in lin.get(address).content.decode()
    assert lin.post(address, {"do": "rate", "stars": "9"}).status_code == 422
    assert lin.post(address, {"do": "rate", "stars": "5"}).status_code == 302
    desk = hua.get("/feedback/desk/?show=decided").content.decode()
    assert "1 of 1" in desk
    assert "fewer than 5" in desk

    assert ren.post(address, {"do": "uncover", "why": ""}).status_code == 422
    assert ren.post(address, {"do": "uncover", "why": "A threat."}).status_code == 302
    assert "Lin Fang" in hua.get(address).content.decode()
    assert "A threat." in lin.get(address).content.decode()


def test_the_guide_shows_newcomers_to_coaches_and_counts_to_managers(cast: Cast) -> None:
    lin, hua, wei, ke = (cast.sign_in(one) for one in (cast.lin, cast.hua, cast.wei, cast.ke))
    assert "0 of 6 steps done" in lin.get("/guide/").content.decode()
    assert "Nobody joined lately" in wei.get("/guide/newcomers/").content.decode()
    Person.objects.filter(pk=cast.lin.pk).update(joined_date=timezone.localdate() - timedelta(days=3))

    assert "Lin Fang" in wei.get("/guide/newcomers/").content.decode()
    page = hua.get("/guide/newcomers/").content.decode()
    assert "Lin Fang" not in page
    assert "Fewer than 5 newcomers" in page
    assert "next: Sign in" in lin.get("/points/").content.decode()
    assert Event.objects.filter(name="points.opened").count() == 1
    assert "1 of 6 steps done" in lin.get("/guide/").content.decode()
    assert lin.get("/guide/newcomers/").status_code == 403

    rows = {"en-0": "Count", "events-0": "stock.counted, stock.moved"}
    assert ke.post("/guide/steps/?at=beiyuan&role=employee", {"en-0": "Count"}).status_code == 422
    assert ke.post("/guide/steps/?at=beiyuan&role=employee", rows).status_code == 302
    assert Guide.objects.get().steps[0]["events"] == ["stock.counted", "stock.moved"]
    assert "Count" in lin.get("/guide/").content.decode()


def test_the_welcome_bonus_becomes_a_draft_of_the_rules_in_force(cast: Cast) -> None:
    ke = cast.sign_in(cast.ke)
    assert ke.post("/guide/newcomers/?at=beiyuan").status_code == 422
    rule = {"rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 10}
    today = timezone.localdate()
    publish(
        rulebook={"rules": [rule]}, organization=cast.beiyuan, in_force_date=today, by=EVERYTHING, now=timezone.now()
    )

    assert ke.post("/guide/newcomers/?at=beiyuan").status_code == 302
    assert "welcome_weeks" in Draft.objects.get().file


def test_a_department_is_chosen_under_the_name_of_its_company(cast: Cast) -> None:
    for address in ("/news/new/", "/trainings/new/"):
        page = cast.sign_in(cast.ren).get(address).content.decode()
        _before, _found, after = page.partition(f'<optgroup label="{cast.beiyuan.name}">')
        assert f'value="{cast.purchasing.slug}"' in after.partition("</optgroup>")[0], address
