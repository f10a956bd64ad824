"""Moves a draft along its way: proposed to the committee, published, given back for more work, or withdrawn."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.programme.drafting.models import Draft, DraftState, Report
from uptake.programme.drafting.save import NotOpen, locked
from uptake.programme.models import RulebookVersion


class NotBackTested(Exception):
    """The file as it stands has no back-test of everybody."""


class NotProposed(Exception):
    """Only a proposed draft can be given back."""


def back_test_of(draft: Draft) -> Report | None:
    """The latest sealed back-test of everybody of the draft's file as it stands."""
    return draft.reports.filter(draft_sha256=draft.sha256, sample__isnull=True).order_by("-made_at", "-pk").first()


@transaction.atomic
def propose_draft(*, draft: Draft, by: Viewer, now: datetime) -> Report:
    """Closes the draft for the vote; gives the report that goes with it. Raises NotAllowed, NotOpen, NotBackTested."""
    draft = locked(draft, by)
    report = back_test_of(draft)
    if report is None:
        raise NotBackTested
    draft.state = DraftState.PROPOSED
    draft.save(update_fields=["state"])
    _note("draft.proposed", draft, by, now)
    return report


@transaction.atomic
def give_back_draft(*, draft: Draft, by: Viewer, now: datetime) -> Draft:
    """Opens a proposed draft again: its proposal was rejected or called off. Raises NotAllowed, NotProposed."""
    found = Draft.objects.select_for_update(of=("self",), no_key=True).select_related("organization").get(pk=draft.pk)
    if not by.may(Deed.MANAGE_RULES, found.organization):
        raise NotAllowed
    if found.state != DraftState.PROPOSED:
        raise NotProposed
    found.state = DraftState.TESTED
    found.save(update_fields=["state"])
    _note("draft.given_back", found, by, now)
    return found


@transaction.atomic
def draft_published(*, draft: Draft, version: RulebookVersion) -> Draft:
    """Notes the rulebook that the draft became, in the transaction in which it was published. Safe to repeat."""
    found = Draft.objects.select_for_update(of=("self",), no_key=True).get(pk=draft.pk)
    if found.state == DraftState.WITHDRAWN:
        raise NotOpen
    found.state, found.published, found.shadow_since = DraftState.PUBLISHED, version, None
    found.save(update_fields=["state", "published", "shadow_since"])
    return found


@transaction.atomic
def withdraw_draft(*, draft: Draft, by: Viewer, now: datetime) -> Draft:
    """Puts an open draft aside; nothing of it is lost. Safe to repeat. Raises NotAllowed, NotOpen."""
    if Draft.objects.filter(pk=draft.pk, state=DraftState.WITHDRAWN).exists():
        draft.refresh_from_db()
        return draft
    draft = locked(draft, by)
    draft.state, draft.shadow_since = DraftState.WITHDRAWN, None
    draft.save(update_fields=["state", "shadow_since"])
    _note("draft.withdrawn", draft, by, now)
    return draft


def _note(deed: str, draft: Draft, by: Viewer, now: datetime) -> None:
    note(
        deed=deed,
        actor=by,
        organization=draft.organization,
        subject=draft.title,
        details={"draft": draft.pk, "sha256": draft.sha256},
        now=now,
    )
