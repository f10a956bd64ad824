"""The community by page: written, answered, reported, recognised; closed to other companies; nothing becomes markup."""

from __future__ import annotations

import pytest

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.programme.community.models import Post, Recognition, Report
from uptake.programme.merits.define_badge import BadgeTerms, define_badge
from uptake.programme.merits.give_badge import give_by_hand
from uptake.programme.merits.hide_name import hide_name
from uptake.web.templatetags.prose import prose

pytestmark = [pytest.mark.django_db, pytest.mark.once]
NASTY = "<script>alert(1)</script>\nSee https://erp.example/a?b=1&c=2, or javascript:alert(1)"


def test_a_question_finds_its_answer(cast: Cast) -> None:
    lin, ke = cast.sign_in(cast.lin), cast.sign_in(cast.ke)
    assert "Nobody has written yet" in lin.get("/community/").content.decode()
    told = {"kind": "question", "title": "Which code?", "text": NASTY, "key": "a"}
    assert lin.post("/community/", {**told, "text": " "}).status_code == 422
    assert lin.post("/community/", told).status_code == 302
    address = f"/community/{Post.objects.get().pk}/"

    page = ke.get(address).content.decode()
    assert "<script>alert(1)" not in page
    assert 'href="https://erp.example/a?b=1&amp;c=2"' in page
    assert 'href="javascript' not in page
    assert ke.post(address, {"do": "answer", "text": "4711.", "key": "b"}).status_code == 302
    reply = Post.objects.get().replies.get()
    assert ke.post(address, {"do": "accept", "reply": reply.pk}).status_code == 422
    answer = lin.post(address, {"do": "accept", "reply": reply.pk}, follow=True)
    assert "Accepted. The question now counts as solved." in answer.content.decode()
    assert "Accepted answer" in lin.get(address).content.decode()
    assert lin.post(address, {"do": "react", "kind": "thanks"}).status_code == 302
    assert lin.post(address, {"do": "nothing"}).status_code == 422

    home = lin.get("/community/?kind=question&q=which").content.decode()
    assert "Which code?" in home
    assert "1 answer" in home
    assert "Nothing found" in lin.get("/community/?kind=tip").content.decode()


def test_what_is_reported_is_hidden_and_says_so(cast: Cast) -> None:
    lin, ke, hua = (cast.sign_in(one) for one in (cast.lin, cast.ke, cast.hua))
    lin.post("/community/", {"kind": "post", "title": "Customer list", "text": "Acme pays late.", "key": "a"})
    address = f"/community/{Post.objects.get().pk}/"
    hua.post(address, {"do": "report", "why": "It names a customer."})

    assert "It names a customer." in ke.get("/community/desk/").content.decode()
    assert hua.get("/community/desk/").status_code == 403
    assert ke.post(address, {"do": "hide", "why": ""}).status_code == 422
    answer = ke.post(address, {"do": "hide", "why": "Customers stay out."}, follow=True)
    assert "Its author is told why" in answer.content.decode()
    assert Report.objects.get().outcome == "hidden"
    seen = hua.get(address).content.decode() + hua.get("/community/").content.decode()
    assert "Customers stay out." in seen
    assert "Acme" not in seen
    assert "Customer list" not in seen
    assert "Nothing found" in hua.get("/community/?q=acme").content.decode()
    assert "Acme" in lin.get(address).content.decode()


def test_recognition_is_given_within_what_is_left(cast: Cast) -> None:
    lin = cast.sign_in(cast.lin)
    assert "100 of 100 points left" in lin.get("/community/recognition/").content.decode()
    told = {"person": cast.ke.pk, "points": "20", "text": "Stayed to find the pallet.", "key": "a"}
    for wrong in ({"points": "x"}, {"points": "51"}, {"text": ""}, {"person": cast.mo.pk}, {"person": cast.lin.pk}):
        assert lin.post("/community/recognition/", {**told, **wrong}).status_code == 422
    assert not Recognition.objects.exists()
    for _sent_twice in range(2):
        assert lin.post("/community/recognition/", told).status_code == 302

    assert Recognition.objects.count() == 1
    page = lin.get("/community/recognition/").content.decode()
    assert "80 of 100 points left" in page
    assert "Stayed to find the pallet." in page
    for who, points in (("b", "50"), ("c", "30")):
        lin.post("/community/recognition/", {**told, "points": points, "key": who})
    spent = lin.post("/community/recognition/", {**told, "person": cast.hua.pk, "key": "d"}).content.decode()
    assert "given all your points of this month" in spent


def test_the_terms_are_set_at_the_desk(cast: Cast) -> None:
    ke = cast.sign_in(cast.ke)
    told = {"allowance": "30", "smallest": "5", "largest": "10", "to_same": "2", "mutual": "1"}
    assert ke.post("/community/desk/", {**told, "largest": "2"}).status_code == 422
    assert ke.post("/community/desk/", {**told, "largest": "two"}).status_code == 422
    assert ke.post("/community/desk/", told).status_code == 302
    assert "30 of 30 points left" in cast.sign_in(cast.lin).get("/community/recognition/").content.decode()


def test_choosing_the_park_stays_with_a_company(cast: Cast) -> None:
    for address in ("/community/", "/community/recognition/", "/community/desk/"):
        page = cast.sign_in(cast.ren).get(f"{address}?at={cast.park.slug}", follow=True)
        assert page.status_code == 200, address


def test_other_companies_see_nothing(cast: Cast) -> None:
    cast.sign_in(cast.lin).post("/community/", {"kind": "tip", "title": "Scan twice", "text": "It helps.", "key": "a"})
    address = f"/community/{Post.objects.get().pk}/"
    mo, wei = cast.sign_in(cast.mo), cast.sign_in(cast.wei)

    assert mo.get(address).status_code == 404
    assert mo.post(address, {"do": "answer", "text": "Hello"}).status_code == 404
    assert mo.get("/community/?at=beiyuan").status_code == 404
    assert "Scan twice" not in mo.get("/community/").content.decode()
    assert "You belong to no company" in wei.get("/community/").content.decode()
    assert "Scan twice" in cast.sign_in(cast.ren).get("/community/?at=beiyuan").content.decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a & b\nc", "a &amp; b<br>c"),
        ('"><b>', "&quot;&gt;&lt;b&gt;"),
        ("http://x.example.", '<a href="http://x.example" rel="nofollow noopener ugc">http://x.example</a>.'),
        ("javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_words_stay_words(text: str, shown: str) -> None:
    assert prose(text) == shown


def test_badges_of_colleagues_stand_beside_the_posts_without_those_who_hide_their_name(cast: Cast) -> None:
    terms = BadgeTerms(kind="hand", name_en="Helping hand", name_zh="援手")
    badge = define_badge(company=cast.beiyuan, terms=terms, by=EVERYTHING, now=NOW)
    hua = cast.viewer(cast.hua)
    for who in (cast.lin, cast.ke):
        give_by_hand(badge_id=badge.pk, person=who, reason="x", by=hua, now=NOW)
    hide_name(by=cast.viewer(cast.ke), hidden=True, now=NOW)

    page = cast.sign_in(cast.hua).get("/community/").content.decode()
    assert page.count("Helping hand") == 1
    assert cast.lin.name in page
    assert cast.ke.name not in page
    assert "Helping hand" not in cast.sign_in(cast.mo).get("/community/").content.decode()
