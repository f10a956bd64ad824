"""Lets somebody without a login read one evaluation: a secret address, shown once, with an end, revoked at once."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import F

from uptake.directory.audit import note
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.insight.impact.models import MANAGING, Evaluation
from uptake.insight.report.models import ShareLink

LONGEST_DAYS = 90
MOST = 20
"""Open links of one evaluation."""


class Refused(Exception):
    """No link was made; the class says why."""


class WrongDays(Refused):
    """A link ends after 1 to 90 days."""


class TooManyLinks(Refused):
    """The evaluation has as many open links as it may have."""


class StillInterim(Refused):
    """It was read before its registered end: it has no verdict to be shown around."""


@transaction.atomic
def share(*, evaluation: Evaluation, days: int, label: str, by: Viewer, now: datetime) -> tuple[ShareLink, str]:
    """(link, secret): the secret is shown now and never again. Raises NotAllowed or a refusal."""
    found = (
        Evaluation.objects.select_for_update(of=("self",))
        .select_related("intervention__organization")
        .get(pk=evaluation.pk)
    )
    _allowed(found, by)
    if not 1 <= days <= LONGEST_DAYS:
        raise WrongDays
    if found.verdict == "interim":
        raise StillInterim
    if ShareLink.objects.open(now).filter(evaluation=found).count() >= MOST:
        raise TooManyLinks
    secret = secrets.token_urlsafe(32)
    link = ShareLink.objects.create(
        evaluation=found,
        sha=_hash(secret),
        label=" ".join(label.split())[:100],
        made_by_id=by.user_id,
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    _note("impact.shared", link, by, now, days=days)
    return link, secret


@transaction.atomic
def revoke(*, link: ShareLink, by: Viewer, now: datetime) -> None:
    """Nobody gets in by it any more. Revoking again changes nothing. Raises NotAllowed."""
    found = (
        ShareLink.objects.select_for_update(of=("self",))
        .select_related("evaluation__intervention__organization")
        .get(pk=link.pk)
    )
    _allowed(found.evaluation, by)
    if found.revoked_at is None:
        found.revoked_at = now
        found.save(update_fields=["revoked_at"])
        _note("impact.share_revoked", found, by, now)


def let_in(*, secret: str, now: datetime) -> Evaluation | None:
    """The evaluation that a secret opens, and writes down that it was opened; None for one that opens nothing."""
    opened = ShareLink.objects.open(now).filter(sha=_hash(secret))
    link = opened.select_related("evaluation__intervention__organization").first()
    if link is None or not opened.update(opened=F("opened") + 1, opened_at=now):
        return None
    return link.evaluation


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _allowed(evaluation: Evaluation, by: Viewer) -> None:
    if not any(by.may(deed, evaluation.intervention.organization) for deed in MANAGING):
        raise NotAllowed


def _note(deed: str, link: ShareLink, by: Viewer, now: datetime, **more: object) -> None:
    intervention = link.evaluation.intervention
    note(
        deed=deed,
        actor=by,
        organization=intervention.organization,
        subject=intervention.title,
        details={"id": intervention.pk, "link": link.pk, **more},
        now=now,
    )
