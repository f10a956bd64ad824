"""Asks for a run of a job before its time."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.jobs.list import JOBS
from uptake.jobs.models import JobRun


class UnknownJob(Exception):
    """There is no job of this name."""


@transaction.atomic
def ask_for(*, name: str, by: Viewer, now: datetime) -> JobRun:
    """Have the runner run the job as soon as it can; asked twice before that is asked once.

    Raises NotAllowed, UnknownJob.
    """
    if not by.may(Deed.RUN_PLATFORM):
        raise NotAllowed
    if name not in {job.name for job in JOBS}:
        raise UnknownJob(name)
    run, _made = JobRun.objects.get_or_create(name=name)
    if run.wanted_at is None:
        run.wanted_at = now
        run.save(update_fields=["wanted_at"])
        note(deed="job.asked_for", actor=by, organization=None, subject=name, now=now)
    return run
