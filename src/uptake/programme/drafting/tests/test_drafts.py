"""A rulebook is drafted, saved, put aside and handed on, and every save of it stays."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import Error, transaction

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.scope import EVERYTHING, NotAllowed, viewer_of
from uptake.programme.drafting.begin import NoTitle, begin_draft
from uptake.programme.drafting.examples import ExampleRefused, try_examples
from uptake.programme.drafting.hand_on import (
    NotBackTested,
    NotProposed,
    draft_published,
    give_back_draft,
    propose_draft,
    withdraw_draft,
)
from uptake.programme.drafting.models import Draft, DraftState, Report
from uptake.programme.drafting.save import ChangedMeanwhile, NotOpen, save_draft
from uptake.programme.publish import publish
from uptake.programme.rulebook_reading import read_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.tests.world import RULES, published

pytestmark = pytest.mark.django_db

BOOK: dict[str, Any] = {"rules": RULES}
OTHER: dict[str, Any] = {"rules": [{**RULES[0], "points": 7}]}
LATER = NOW + timedelta(hours=1)


def drafted(cast: Cast, **told: Any) -> Draft:
    return begin_draft(**{"organization": cast.beiyuan, "title": "Counting", "rulebook": BOOK, "by": EVERYTHING,
                          "now": NOW, **told})  # fmt: skip


def sealed(draft: Draft, sample: int | None = None) -> Report:
    return Report.objects.create(
        draft=draft, organization=draft.organization, draft_sha256=draft.sha256, from_date=TODAY, until_date=TODAY,
        days=0, sample=sample, content="{}", sha256="0" * 64, made_at=NOW,
    )  # fmt: skip


def test_draft_is_kept_as_the_canonical_file_with_the_clock_of_its_place(cast: Cast) -> None:
    version = published(cast)

    draft = drafted(cast, title="  Counting  twice ")

    assert (draft.title, draft.state, draft.base, draft.saves) == ("Counting twice", "draft", version, 1)
    assert read_rulebook(draft.file).programme.timezone == "Asia/Shanghai"
    assert AuditEntry.objects.get(deed="draft.begun").details["sha256"] == draft.sha256


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"rulebook": {"rules": [{"rule": "a"}]}}, RulebookRefused),
        ({"rulebook": "{"}, RulebookRefused),
        ({"title": "  "}, NoTitle),
        ({"examples": [{"event": "order.processed", "points": -1}]}, ExampleRefused),
    ],
)
def test_what_cannot_be_read_begins_no_draft(cast: Cast, told: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        drafted(cast, **told)

    assert not Draft.objects.exists()


def test_only_who_manages_the_rules_drafts_and_sees_drafts(cast: Cast) -> None:
    drafted(cast)
    lin, mo = (viewer_of(one.user, today=TODAY) for one in (cast.lin, cast.mo))

    with pytest.raises(NotAllowed):
        drafted(cast, by=lin)

    assert not Draft.objects.visible_to(lin)
    assert not Draft.objects.visible_to(mo)
    assert Draft.objects.visible_to(EVERYTHING).count() == 1


def test_saving_keeps_what_was_there_before(cast: Cast) -> None:
    draft = drafted(cast)

    changed = save_draft(draft=draft, seen=1, rulebook=OTHER, by=EVERYTHING, now=LATER)
    again = save_draft(draft=draft, seen=1, rulebook=OTHER, by=EVERYTHING, now=LATER)

    assert (changed.saves, again.saves) == (2, 2)
    assert [one.sha256 for one in draft.history.order_by("number")] == [draft.sha256, changed.sha256]
    with pytest.raises(Error), transaction.atomic():
        draft.history.update(title="other")


def test_two_who_save_at_once_do_not_overwrite_each_other(cast: Cast) -> None:
    draft = drafted(cast)
    save_draft(draft=draft, seen=1, title="Mine", by=EVERYTHING, now=LATER)

    with pytest.raises(ChangedMeanwhile) as refused:
        save_draft(draft=draft, seen=1, title="Yours", by=EVERYTHING, now=LATER)

    assert refused.value.saves == 2
    assert Draft.objects.get().title == "Mine"


def test_draft_is_proposed_with_the_back_test_of_its_file_and_closed_for_edits(cast: Cast) -> None:
    draft = drafted(cast)
    sealed(draft, sample=10)
    with pytest.raises(NotBackTested):
        propose_draft(draft=draft, by=EVERYTHING, now=LATER)
    report = sealed(draft)

    assert propose_draft(draft=draft, by=EVERYTHING, now=LATER) == report

    with pytest.raises(NotOpen):
        save_draft(draft=draft, seen=1, title="x", by=EVERYTHING, now=LATER)
    with pytest.raises(NotOpen):
        withdraw_draft(draft=draft, by=EVERYTHING, now=LATER)
    assert give_back_draft(draft=draft, by=EVERYTHING, now=LATER).state == DraftState.TESTED
    with pytest.raises(NotProposed):
        give_back_draft(draft=draft, by=EVERYTHING, now=LATER)


def test_edited_draft_needs_a_new_back_test(cast: Cast) -> None:
    draft = drafted(cast)
    sealed(draft)
    save_draft(draft=draft, seen=1, rulebook=OTHER, by=EVERYTHING, now=LATER)

    with pytest.raises(NotBackTested):
        propose_draft(draft=draft, by=EVERYTHING, now=LATER)


def test_published_and_withdrawn_drafts_stay_as_they_are(cast: Cast) -> None:
    draft, other = drafted(cast), drafted(cast, title="Other")
    version = publish(rulebook=draft.file, organization=cast.beiyuan, in_force_date=TODAY, by=EVERYTHING, now=NOW)

    draft_published(draft=draft, version=version)
    withdraw_draft(draft=other, by=EVERYTHING, now=LATER)
    withdraw_draft(draft=other, by=EVERYTHING, now=LATER)

    draft.refresh_from_db()
    assert (draft.state, draft.published) == ("published", version)
    with pytest.raises(NotOpen):
        save_draft(draft=other, seen=1, title="x", by=EVERYTHING, now=LATER)
    assert AuditEntry.objects.filter(deed="draft.withdrawn").count() == 1


def test_sealed_report_never_changes(cast: Cast) -> None:
    report = sealed(drafted(cast))

    with pytest.raises(Error), transaction.atomic():
        Report.objects.update(content="x")
    with pytest.raises(Error), transaction.atomic():
        report.delete()


@pytest.mark.once
def test_examples_tell_what_they_earn_and_whether_that_is_what_was_expected(cast: Cast) -> None:
    draft = drafted(
        cast,
        examples=[
            {"event": "order.processed", "facts": {"lines": 12}, "points": 12},
            {"event": "order.processed", "facts": {"lines": 120}, "points": 120, "title": "A large one"},
            {"event": "stock.counted", "points": 0},
        ],
    )

    tried = try_examples(read_rulebook(draft.file), draft.examples, date(2026, 6, 1))

    assert [(one.points, one.holds) for one in tried] == [(12, True), (100, False), (0, True)]
