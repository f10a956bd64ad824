"""Runs are reckoned, approved by a second person and posted by the pages; others do not see them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import Kind, Leave, Membership, Organization, Role, RoleAssignment
from uptake.directory.scope import EVERYTHING
from uptake.ledger.balances import points_of
from uptake.ledger.grant import Grant, grant
from uptake.programme.drafting.begin import begin_draft
from uptake.programme.drafting.find_exploits import run_waiting_searches
from uptake.programme.publish import publish
from uptake.programme.retroactive.models import RetroactiveRun
from uptake.programme.tests.world import RULES, Desk

pytestmark = pytest.mark.django_db


def read(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code == status, address
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.mark.django_db(transaction=True)
def test_a_run_is_reckoned_by_one_and_posted_after_another_approved(cast: Cast) -> None:
    desk = Desk(cast)
    desk.processed("a", lines=10)
    version = publish(
        organization=cast.beiyuan,
        rulebook={"rules": [{**RULES[0], "version": 2, "points": 25, "cap": []}]},
        in_force_date=timezone.now().date() + timedelta(days=5),
        by=EVERYTHING,
        now=NOW,
    )
    RoleAssignment.objects.create(
        person=cast.wei,
        organization=cast.beiyuan,
        role=Role.COMMITTEE,
        from_date=TODAY - timedelta(days=300),
        given_at=NOW,
    )
    ren, wei = cast.sign_in(cast.ren), cast.sign_in(cast.wei)
    address = f"/rules/afterwards/?at={cast.beiyuan.slug}"
    form = {"at": cast.beiyuan.slug, "version": version.pk, "from": TODAY - timedelta(days=3),
            "until": TODAY + timedelta(days=1), "why": "Orders were worth more"}  # fmt: skip

    assert "No run yet" in read(ren, address)
    chosen = f'<option value="{cast.beiyuan.slug}" selected'
    below = Organization.objects.filter(company=cast.beiyuan, kind=Kind.DEPARTMENT).latest("pk")
    for at in ("", "?at=linjiang", f"?at={below.slug}"):
        assert chosen in read(ren, f"/rules/afterwards/{at}"), at
    assert ren.get("/rules/afterwards/?at=nowhere").status_code == 404
    refused = ren.post(address, {**form, "why": " "})
    assert (refused.status_code, "Say why" in refused.content.decode()) == (422, True)
    page = ren.post(address, form)["Location"]
    assert "15 points for 1 person" in read(ren, page)
    assert "<td>Order processed</td>" in read(ren, page)
    own = ren.post(page, {"what": "approve"})
    assert (own.status_code, "Somebody else must do this" in own.content.decode()) == (422, True)
    assert wei.post(page, {"what": "approve"}).status_code == 302
    assert ren.post(page, {"what": "post"}).status_code == 302
    assert ren.post(page, {"what": "post"}).status_code == 302

    assert RetroactiveRun.objects.get().state == "executed"
    lin = str(cast.lin.pk)
    assert points_of(book=cast.beiyuan.pk, owners=[lin], now=timezone.now())[lin].available == 25
    assert cast.sign_in(cast.mo).get(page).status_code in (403, 404)
    assert "Points given afterwards" in read(cast.sign_in(cast.lin), "/points/?show=other")


@pytest.mark.parametrize(("policy", "left"), [("pay_out", 0), ("to_budget", 0), ("forfeit", 0)])
def test_who_leaves_has_no_points_left_and_the_entries_stay(cast: Cast, policy: str, left: int) -> None:
    now, lin = timezone.now(), str(cast.lin.pk)
    told: dict[str, Any] = {"book": cast.beiyuan.pk, "owner": lin, "cause": "event/1", "happened_at": now}
    later = now + timedelta(days=3)
    grant([Grant(key="a", lot="a", points=30, available_from=now, **told),
           Grant(key="b", lot="b", points=5, available_from=later, **told)], now=now)  # fmt: skip
    Membership.objects.filter(person=cast.lin).update(until_date=timezone.localdate())
    ren = cast.sign_in(cast.ren)
    address = f"/rewards/desk/leaving/?at={cast.beiyuan.slug}"
    form = {"at": cast.beiyuan.slug, "person": lin, "policy": policy, "department": "purchasing", "key": "k"}

    assert "Lin Fang" in read(ren, address)
    assert "30" in read(ren, f"{address}&person={lin}")
    assert ren.post(address, form).status_code == 422
    for _time in range(2):
        answer = ren.post(address, {**form, "department": cast.purchasing.slug, "sure": "yes"})
        assert answer.status_code == 302

    points = points_of(book=cast.beiyuan.pk, owners=[lin], now=now)[lin]
    assert (points.available, points.pending, points.held) == (left, 0, 0)
    assert cast.sign_in(cast.hua).get(address).status_code == 403


def test_leave_from_a_file_is_added_and_lines_that_are_not_are_told(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)
    content = f"email,from,to\n{cast.lin.email},2026-05-04,2026-05-08\nnobody@x.example,2026-05-04,2026-05-08\n"
    told = {"at": cast.beiyuan.slug, "file": SimpleUploadedFile("leave.csv", content.encode())}

    answer = hua.post("/calendar/leave/", told)

    assert answer.status_code == 200
    assert Leave.objects.filter(person=cast.lin).count() == 1
    assert "Line 3" in answer.content.decode()
    assert hua.post("/calendar/leave/", {"at": cast.beiyuan.slug}).status_code == 422


def test_exploits_of_a_draft_are_searched_for_by_the_page(cast: Cast) -> None:
    rule = {"rule": "moves", "version": 1, "from": "2026-01-01", "on": "stock.moved", "points": 3, "title": "Moves"}
    draft = begin_draft(
        organization=cast.beiyuan, title="Moves", rulebook={"rules": [rule]}, by=EVERYTHING, now=timezone.now()
    )
    ren = cast.sign_in(cast.ren)
    page = f"/rules/build/{draft.pk}/exploits/"

    assert "Not searched yet" in read(ren, page)
    refused = ren.post(f"{page}do/", {"what": "search", "minutes:stock.moved": "none"}, follow=True)
    assert "Minutes are a number above 0" in refused.content.decode()
    ren.post(f"{page}do/", {"what": "search", "minutes:stock.moved": "4"})
    assert "Waits for its turn" in read(ren, page)
    assert run_waiting_searches(clock=timezone.now) == 1

    told = read(ren, page)
    assert "There and back: Moves" in told
    assert "Pay at most 3 times a day." in told
    assert "1 trick pays" in read(ren, f"/rules/build/{draft.pk}/")
    assert ren.get(f"{page}state/")["HX-Refresh"] == "true"
    assert cast.sign_in(cast.hua).get(page).status_code in (403, 404)
