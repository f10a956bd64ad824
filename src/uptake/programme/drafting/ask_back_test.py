"""Asks for a back-test of a draft, or calls it off; a job runs it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.programme.drafting.begin import login_of
from uptake.programme.drafting.models import Draft, Run, RunState

LONGEST_DAYS = 366
OPEN = (RunState.WAITING, RunState.RUNNING)


class NotThatLong(Exception):
    """A back-test is of 1 to 366 days."""


@transaction.atomic
def ask_back_test(*, draft: Draft, days: int, by: Viewer, now: datetime, sample: int | None = None) -> Run:
    """A back-test of the draft's file as it stands, of the last `days`; everybody, or at most `sample` people.

    Asked again while it waits or runs, it is the same one. Raises NotAllowed, NotThatLong.
    """
    if not by.may(Deed.MANAGE_RULES, draft.organization):
        raise NotAllowed
    if not 1 <= days <= LONGEST_DAYS:
        raise NotThatLong
    held = Draft.objects.select_for_update(of=("self",), no_key=True).get(pk=draft.pk)
    open_one = held.runs.filter(state__in=OPEN, sha256=held.sha256, days=days, sample=sample).first()
    if open_one is not None:
        return open_one
    return Run.objects.create(
        draft=held,
        file=held.file,
        sha256=held.sha256,
        days=days,
        sample=sample,
        asked_at=now,
        asked_by=login_of(by),
    )


@transaction.atomic
def call_off_back_test(*, run: Run, by: Viewer, now: datetime) -> Run:
    """It stops at its next portion, and no report is made. One that is over stays as it is. Raises NotAllowed."""
    if not by.may(Deed.MANAGE_RULES, run.draft.organization):
        raise NotAllowed
    Run.objects.filter(pk=run.pk, state__in=OPEN).update(state=RunState.CANCELLED, ended_at=now)
    run.refresh_from_db()
    return run
