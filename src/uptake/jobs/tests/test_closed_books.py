"""A broken book is closed, the others go on; who runs the platform opens it with a reason, on a page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.jobs.list import catch_up, keep_merits, publish_heads, verify_ledger
from uptake.jobs.whole_ledger import LedgerBroken
from uptake.ledger.close import closed_books
from uptake.ledger.models import Account
from uptake.notify.models import Message
from uptake.programme.models import Award, PutAside
from uptake.programme.tests.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def desk(cast: Cast) -> Desk:
    """Beiyuan's book says more of Lin than its transfers do, and the daily check has seen it."""
    desk = Desk(cast)
    desk.processed("1")
    publish_heads(NOW)
    _break(cast, 1)
    with pytest.raises(LedgerBroken):
        verify_ledger(NOW + DAY)
    return desk


def _break(cast: Cast, more: int) -> None:
    account = Account.objects.get(book=cast.beiyuan.pk, code=f"person/{cast.lin.pk}/available")
    Account.objects.filter(pk=account.pk).update(balance=account.balance + more)


def test_a_broken_book_is_closed_and_its_company_waits(cast: Cast, desk: Desk) -> None:
    assert closed_books().keys() == {cast.beiyuan.pk}
    assert closed_books()[cast.beiyuan.pk].why.startswith("I3: ")
    desk.processed("2", NOW + DAY, now=NOW + DAY)
    assert Award.objects.count() == 1
    assert catch_up(NOW + 2 * DAY) == 0
    assert PutAside.objects.get().company == cast.beiyuan
    assert keep_merits(NOW + 2 * DAY) == 0
    told = Message.objects.filter(kind="platform.book_closed")
    assert [(one.person, one.content["title"]) for one in told] == [(cast.an, "Beiyuan Precision")]
    with pytest.raises(LedgerBroken):
        verify_ledger(NOW + 2 * DAY)
    assert AuditEntry.objects.filter(deed="ledger.closed").count() == 1, "closed once, told once"


def test_it_is_opened_when_it_holds_and_with_a_reason(cast: Cast, desk: Desk) -> None:
    desk.processed("2", NOW + DAY, now=NOW + DAY)
    browser, address = cast.sign_in(cast.an), f"/jobs/still/{cast.beiyuan.pk}/open"

    assert "Say why it is opened" in browser.post(address, {"why": " "}).content.decode()
    refused = browser.post(address, {"why": "Looked at <it>"})
    assert refused.status_code == 422
    assert "Looked at &lt;it&gt;" in refused.content.decode(), "what was typed is still there"
    assert closed_books()

    _break(cast, -1)
    assert browser.post(address, {"why": "Corrected from the backup"}).status_code == 302
    assert not closed_books()
    noted = AuditEntry.objects.get(deed="ledger.opened")
    assert (noted.organization, noted.details["why"]) == (cast.beiyuan, "Corrected from the backup")
    catch_up(timezone.now())
    assert Award.objects.count() == 2
    assert verify_ledger(NOW + 3 * DAY) == 1


def test_it_is_opened_although_it_does_not_hold_if_somebody_says_so(cast: Cast, desk: Desk) -> None:
    browser = cast.sign_in(cast.an)
    browser.post(f"/jobs/still/{cast.beiyuan.pk}/open", {"why": "One point too much, known", "although": "yes"})

    assert not closed_books()
    assert AuditEntry.objects.get(deed="ledger.opened").details["problems"] > 0


@pytest.mark.parametrize("name", ["lin", "hua", "ren", "shu"])
def test_nobody_else_opens_it(cast: Cast, desk: Desk, name: str) -> None:
    browser = cast.sign_in(cast.people()[name])

    assert browser.post(f"/jobs/still/{cast.beiyuan.pk}/open", {"why": "x"}).status_code == 403
    assert browser.post(f"/jobs/still/{cast.beiyuan.pk}/again").status_code == 403
    assert closed_books()


def test_a_deed_on_a_page_is_refused_in_plain_words_with_what_was_typed(cast: Cast, desk: Desk) -> None:
    browser = cast.sign_in(cast.ren)
    typed = {"points": "500", "department": cast.beiyuan.slug, "reason": "For <June>", "key": "one"}
    answer = browser.post(f"/rewards/desk/budgets/?at={cast.beiyuan.slug}", typed)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Points of this company stand still" in page
    assert 'value="For &lt;June&gt;"' in page


def test_each_is_told_what_is_theirs_to_know(cast: Cast, desk: Desk) -> None:
    PutAside.objects.update(since=NOW)
    said = "Points are not being reckoned at the moment"
    assert said in cast.sign_in(cast.lin).get("/points/").content.decode()
    assert said not in cast.sign_in(cast.mo).get("/points/").content.decode()
    rules = "are not being reckoned (stopped"
    assert rules in cast.sign_in(cast.ke).get("/rules/").content.decode()
    assert rules not in cast.sign_in(cast.lin).get("/rules/").content.decode()
    jobs = cast.sign_in(cast.an).get("/jobs/", headers={"accept-language": "en"}).content.decode()
    assert "Book closed" in jobs
    assert "Open although" in jobs
