"""Badges and challenges as people meet them, and the desk of those who keep them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from uptake.ledger.accounts import ISSUED, budget
from uptake.ledger.move import move
from uptake.programme.merits.keep_merits import keep_merits
from uptake.programme.merits.models import Badge, BoardPrize, Challenge, GivenBadge, Privilege
from uptake.programme.tests.world import published

pytestmark = pytest.mark.django_db


def at(browser: Client, address: str, **told: Any) -> str:
    answer = browser.post(address, {"at": "beiyuan", **told}, follow=True)
    return answer.content.decode()


def test_a_manager_defines_a_badge_gives_it_and_takes_it_back(cast: Cast) -> None:
    hua, lin = cast.sign_in(cast.hua), cast.sign_in(cast.lin)
    assert "No badges yet" in hua.get("/merits/desk/").content.decode()
    refused = hua.post("/merits/desk/", {"at": "beiyuan", "do": "define", "kind": "hand", "name_en": ""})
    assert refused.status_code == 422
    assert "Give it a name in at least one language" in refused.content.decode()
    page = at(hua, "/merits/desk/", do="define", kind="hand", name_en="Helping hand", name_zh="援手", icon="thumb-up")
    assert "The badge is defined." in page
    badge = Badge.objects.get()
    assert "Give a reason." in at(hua, "/merits/desk/", do="give", badge=badge.pk, person=cast.lin.pk, reason=" ")
    assert "given to Lin Fang" in at(hua, "/merits/desk/", do="give", badge=badge.pk, person=cast.lin.pk, reason="Kind")
    mine = lin.get("/merits/").content.decode()
    assert "Helping hand" in mine
    assert "Kind" in mine
    given = GivenBadge.objects.get()
    assert cast.sign_in(cast.mo).post(f"/merits/desk/given/{given.pk}/").status_code == 404
    assert "Taken back." in at(hua, f"/merits/desk/given/{given.pk}/")
    assert "None yet." in lin.get("/merits/").content.decode()
    assert lin.get("/merits/desk/").status_code == 403
    assert "given no more" in at(hua, "/merits/desk/", do="retire", badge=badge.pk)


def test_a_challenge_goes_from_its_plan_to_its_prizes(cast: Cast) -> None:
    where: dict[str, Any] = {"source": ISSUED, "target": budget(cast.beiyuan.pk)}
    move(book=cast.beiyuan.pk, key="fund", points=100, cause="budget/1", now=timezone.now(), **where)
    hua, lin, ren = (cast.sign_in(one) for one in (cast.hua, cast.lin, cast.ren))
    today = timezone.localdate()
    form = {
        "do": "plan", "name_en": "Ten orders", "what": "event/order.processed", "goal": "10", "place": "beiyuan",
        "from": today.isoformat(), "until": (today + timedelta(days=5)).isoformat(), "prize": "20", "pool": "60",
        "budget": "beiyuan", "key": "k",
    }  # fmt: skip
    assert "The end comes after" in at(hua, "/merits/desk/challenges/", **{**form, "until": "2026-99-01"})
    assert "The challenge is planned." in at(hua, "/merits/desk/challenges/", **form)
    row = Challenge.objects.get()
    address = f"/merits/challenges/{row.pk}/"
    assert lin.get(address).status_code == 404
    assert "Its prizes wait in escrow." in at(hua, address, do="open")
    assert "Take part" in lin.get(address).content.decode()
    assert "You take part." in at(lin, address, do="join")
    assert "0 / 10" in lin.get("/merits/").content.decode()
    assert lin.post(address, {"do": "verify"}).status_code == 403
    later = timezone.now() + timedelta(days=20)
    row.participants.update(reached=11, met_at=timezone.now())
    Challenge.objects.update(state="ended", ended_at=later)
    assert "Who sets a prize" in at(hua, address, do="verify")
    assert "1 reached the goal; 20 points would be paid." in ren.get(address).content.decode()
    assert "Verified and paid out." in at(ren, address, do="verify")
    assert "Prize of a challenge" in lin.get("/points/").content.decode()
    assert cast.sign_in(cast.mo).get(address).status_code == 404


def test_prizes_and_privileges_are_offered_and_ended(cast: Cast) -> None:
    published(cast)
    hua = cast.sign_in(cast.hua)
    assert "The rules in force have no levels." in hua.get("/merits/desk/prizes/").content.decode()
    page = "/merits/desk/prizes/"
    assert "Name 1 to 20 prizes" in at(hua, page, do="offer", period="month", places="", budget="beiyuan")
    assert "paid when the board has closed" in at(
        hua, page, do="offer", period="month", places="60、40, 20", budget="beiyuan"
    )
    row = BoardPrize.objects.get()
    assert row.places == [60, 40, 20]
    assert "get none of these prizes" in at(hua, page, do="stop", prize=row.pk)
    named = {"do": "name", "code": "early-choice", "level": "Skilled", "name_en": "First choice of shifts", "days": ""}
    assert "The privilege is named." in at(hua, page, **named)
    held = Privilege.objects.get()
    assert "First choice of shifts" in hua.get(page).content.decode()
    assert "Nobody holds the privilege" in at(hua, page, do="end", privilege=held.pk)
    keep_merits(now=timezone.now())


def test_nobody_of_a_company_is_told_so(cast: Cast) -> None:
    assert "You belong to no company today" in cast.sign_in(cast.ren).get("/merits/").content.decode()
