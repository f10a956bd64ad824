"""Shadow mode: a draft is considered and reported day by day, and pays nothing."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from uptake.directory.audit import note
from uptake.directory.place import settings_at
from uptake.directory.viewer import Viewer
from uptake.programme.backtest.back_test import back_test
from uptake.programme.drafting.models import OPEN_STATES, Draft, Report
from uptake.programme.drafting.run_back_tests import Clock, seal
from uptake.programme.drafting.save import locked
from uptake.programme.rulebook_reading import read_rulebook

LONGEST_DAYS = 92


@transaction.atomic
def set_shadow(*, draft: Draft, on: bool, by: Viewer, now: datetime) -> Draft:
    """Lets the draft run beside what is in force from today on, or ends that. Safe to repeat.

    Raises NotAllowed, NotOpen.
    """
    draft = locked(draft, by)
    if on == (draft.shadow_since is not None):
        return draft
    draft.shadow_since = settings_at(draft.organization).date_of(now) if on else None
    draft.save(update_fields=["shadow_since"])
    note(
        deed="draft.shadowed" if on else "draft.unshadowed",
        actor=by,
        organization=draft.organization,
        subject=draft.title,
        details={"draft": draft.pk, "sha256": draft.sha256},
        now=now,
    )
    return draft


def refresh_shadows(*, clock: Clock, limit: int = 1) -> int:
    """Reports, once a business date, what each shadow would have paid since it began. How many were reported.

    A shadow of many months is told of by its last 92 days.
    """
    done = 0
    for draft in Draft.objects.filter(shadow_since__isnull=False, state__in=OPEN_STATES).select_related("organization"):
        now = clock()
        today = settings_at(draft.organization).date_of(now)
        assert draft.shadow_since is not None
        days = min((today - draft.shadow_since).days, LONGEST_DAYS)
        if days < 1 or shadow_reports(draft).filter(until_date=today, draft_sha256=draft.sha256).exists():
            continue
        told = back_test(organization=draft.organization, rulebook=read_rulebook(draft.file), until=today, days=days)
        seal(draft, told, made_by_id=None, now=clock())
        done += 1
        if done == limit:
            break
    return done


def shadow_reports(draft: Draft) -> QuerySet[Report]:
    """The reports on its time as a shadow, each of one more day."""
    return Report.objects.filter(draft=draft, sample__isnull=True, from_date__gte=draft.shadow_since)
