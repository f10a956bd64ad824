"""Words of messages are written, looked at, tried and taken back on their pages, each place its own."""

from __future__ import annotations

import pytest

from tests.cast import NOW, Cast
from uptake.notify.models import Mail, Message, Wording
from uptake.notify.tell import Telling, tell

pytestmark = pytest.mark.django_db
KIND = "redemption.approved"
HOME = "/messages/words/"
PAGE = f"{HOME}beiyuan/{KIND}/"


def test_words_are_looked_at_tried_saved_and_taken_back(cast: Cast) -> None:
    page = cast.sign_in(cast.hua)
    tell([Telling(person_id=cast.hua.pk, key="k", kind=KIND, content={"name_en": "A kite", "redemption": 7})], now=NOW)
    own = {"en:title": "Enjoy it, {reader}", "en:line": "{name}, says {company}", "seen": "0"}

    shown = page.post(PAGE, {**own, "do": "preview", "as": "mine"}, headers={"accept-language": "en"}).content.decode()
    assert "Enjoy it, Hua Jing" in shown
    assert "A kite, says Beiyuan Precision" in shown
    assert "/rewards/mine/7/" in shown
    assert not Wording.objects.exists()
    page.post(PAGE, {**own, "en:subject": "Only a test of {name}", "do": "try"})
    assert {one.subject for one in Mail.objects.filter(person=cast.hua)} >= {"Only a test of Half a day off"}
    assert Mail.objects.count() == 2
    assert page.post(PAGE, {**own, "do": "save"}).status_code == 302
    assert (
        cast.sign_in(cast.hua).get("/messages/", headers={"accept-language": "en"}).content.count(b"Enjoy it, Hua") == 1
    )
    page.post(PAGE, {"do": "shipped"})
    page.post(PAGE, {"do": "again", "version": "1"})
    assert [bool(one.phrases) for one in Wording.objects.order_by("number")] == [True, False, True]
    assert Message.objects.get().content["name_en"] == "A kite"


def test_what_cannot_be_said_stays_on_the_page_with_its_reason(cast: Cast) -> None:
    answer = cast.sign_in(cast.hua).post(
        PAGE, {"en:title": "Dear <{nobody}>", "do": "save"}, headers={"accept-language": "en"}
    )

    assert answer.status_code == 422
    assert "There is no placeholder {nobody} here. There are: {name} {reader} {company}" in answer.content.decode()
    assert "Dear &lt;{nobody}&gt;" in answer.content.decode()


def test_each_place_is_worded_by_those_who_manage_its_people(cast: Cast) -> None:
    hua, mo, lin = cast.sign_in(cast.hua), cast.sign_in(cast.mo), cast.sign_in(cast.lin)
    hua.post(PAGE, {"en:title": "Beiyuan says yes", "do": "save"})

    assert hua.get(HOME).status_code == 200
    assert "Beiyuan" not in mo.get(HOME).content.decode()
    assert mo.get(PAGE).status_code == 404
    assert mo.get(f"{HOME}?at=beiyuan").status_code == 404
    assert mo.post(PAGE, {"do": "shipped"}).status_code == 404
    assert "Beiyuan says" not in mo.get(PAGE.replace("beiyuan", cast.qinghe.slug)).content.decode()
    assert lin.get(HOME).status_code == 403
    assert hua.get(f"{HOME}{cast.park.slug}/{KIND}/").status_code == 404
    assert hua.get(f"{HOME}beiyuan/nothing.known/").status_code == 404
    assert hua.get(f"{HOME}?at={cast.purchasing.slug}").status_code == 200
    for kind in ("points_earned", "people_source.needs_attention", "announcement.published"):
        assert hua.get(f"{HOME}beiyuan/{kind}/").status_code == 200
