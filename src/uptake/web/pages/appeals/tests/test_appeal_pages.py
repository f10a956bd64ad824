"""Appeals by page: from a line of one's points to an answer by another."""

from __future__ import annotations

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.insight.gaming.models import Finding
from uptake.ledger.grant import Grant, grant
from uptake.programme.governance.models import Appeal
from uptake.programme.governance.tests.test_appeal import RULES
from uptake.programme.models import Award
from uptake.programme.tests.world import Desk

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def award(cast: Cast, who: str = "lin") -> Award:
    return Award.objects.get(event=Desk(cast, RULES).processed("A", NOW, who=who, lines=2))


def test_a_line_is_questioned_and_answered(cast: Cast) -> None:
    line = award(cast)
    lin, ke = cast.sign_in(cast.lin), cast.sign_in(cast.ke)

    assert f"/appeals/new/?award={line.pk}" in lin.get("/points/").content.decode()
    assert "within 7 days" in lin.get(f"/appeals/new/?award={line.pk}").content.decode()
    assert lin.post(f"/appeals/new/?award={line.pk}", {"text": " "}).status_code == 422
    lin.post(f"/appeals/new/?award={line.pk}", {"text": "It had 12 lines."})
    appeal = Appeal.objects.get()
    assert lin.post(f"/appeals/new/?award={line.pk}", {"text": "Again."}).status_code == 422
    address = f"/appeals/{appeal.pk}/"
    desk = ke.get("/appeals/desk/").content.decode()
    assert "Lin Fang" in desk
    assert address in desk
    assert "It had 12 lines." in ke.get(address).content.decode()
    assert ke.post(address, {"decide": "uphold", "answer": "", "points": "10"}).status_code == 422
    assert ke.post(address, {"decide": "uphold", "answer": "True.", "points": "x"}).status_code == 422
    assert ke.post(address, {"decide": "uphold", "answer": "True.", "points": "10"}).status_code == 302

    page = lin.get(address).content.decode()
    assert "10 points were given" in page
    assert "Ke Ming" in page
    assert "True." in page
    assert "Upheld" in lin.get("/appeals/").content.decode()


def test_a_prize_is_questioned_by_its_name(cast: Cast) -> None:
    award(cast)
    key = f"challenge/5/{cast.lin.pk}"
    names = {"name_en": "Receipts on the day", "name_zh": "收货不过夜"}
    prize = Grant(
        book=cast.beiyuan.pk, key=key, lot=key, owner=str(cast.lin.pk), points=50, cause="challenge/5",
        happened_at=NOW, available_from=NOW, reason="prize", explanation={"prize": "challenge/5", **names},
    )  # fmt: skip
    grant([prize], now=NOW)
    lin = cast.sign_in(cast.lin)
    address = f"/appeals/new/?company={cast.beiyuan.slug}&entry={key}"

    for page in (lin.get("/points/"), lin.get(address)):
        assert "Prize of a challenge" in page.content.decode()
        assert "Receipts on the day" in page.content.decode()
    lin.post(address, {"text": "It was two weeks."})
    for page in (lin.get("/appeals/"), lin.get(f"/appeals/{Appeal.objects.get().pk}/")):
        assert "Receipts on the day" in page.content.decode()
        assert "Another entry" not in page.content.decode()


def test_who_has_no_business_there(cast: Cast) -> None:
    line = award(cast)
    cast.sign_in(cast.lin).post(f"/appeals/new/?award={line.pk}", {"text": "It had 12 lines."})
    address = f"/appeals/{Appeal.objects.get().pk}/"

    for who in (cast.mo, cast.hua):
        client = cast.sign_in(who)
        assert client.get(address).status_code == 404
        assert client.get(f"/appeals/new/?award={line.pk}").status_code == 404
        assert client.get("/appeals/desk/").status_code == 403
    assert cast.sign_in(cast.lin).post(address, {"decide": "uphold", "answer": "x", "points": "9"}).status_code == 422
    assert cast.sign_in(cast.shu).post(address, {"take": "1"}).status_code == 422
    assert Appeal.objects.get().state == "open"
    assert "No appeal yet" in cast.sign_in(cast.mo).get("/appeals/").content.decode()


def test_a_member_sees_that_another_answers(cast: Cast) -> None:
    line = award(cast, "ke")
    ke = cast.sign_in(cast.ke)
    ke.post(f"/appeals/new/?award={line.pk}", {"text": "It had 12 lines."})
    address = f"/appeals/{Appeal.objects.get().pk}/"

    page = ke.get(address).content.decode()
    assert "Another member answers this one" in page
    assert "Uphold appeal" not in page
    assert ke.post(address, {"decide": "uphold", "answer": "Yes.", "points": "9"}).status_code == 422
    ren = cast.sign_in(cast.ren)
    assert ren.post(address, {"take": "1"}).status_code == 302
    assert ke.post(address, {"withdraw": "1"}).status_code == 302
    assert Appeal.objects.get().state == "withdrawn"


def test_who_decides_and_sees_events_is_told_what_is_under_review_at_the_person(cast: Cast) -> None:
    lin = cast.sign_in(cast.lin)
    lin.post(f"/appeals/new/?award={award(cast).pk}", {"text": "It had 12 lines."})
    Finding.objects.create(
        company=cast.beiyuan, person=cast.lin, detector="C", first=TODAY, last=TODAY, numbers={}, events=[], points=9,
        held=0, found_at=NOW,
    )  # fmt: skip
    address, said = f"/appeals/{Appeal.objects.get().pk}/", "Points of this person under review"

    told = {who: said in cast.sign_in(cast.people()[who]).get(address).content.decode() for who in ("ren", "ke", "lin")}

    assert told == {"ren": True, "ke": False, "lin": False}
