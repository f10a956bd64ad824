"""Defines badges and retires them: managers and the committee, without code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.programme.merits.models import ICONS, KEEPING, Badge, BadgeKind
from uptake.programme.merits.periods import EVER, PERIODS, SEASON
from uptake.programme.merits.refusals import Unusable

MOST = 1_000_000
LONGEST = {"name_en": 80, "name_zh": 80, "text_en": 500, "text_zh": 500, "event_name": 200, "level": 100}


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeTerms:
    """A badge as it is to be. What its kind does not ask for is left empty."""

    kind: str
    name_en: str = ""
    name_zh: str = ""
    text_en: str = ""
    text_zh: str = ""
    icon: str = "trophy"
    event_name: str = ""
    count: int = 1
    level: str = ""
    period: str = ""


def may_keep(viewer: Viewer, company: Organization) -> bool:
    """Whether the viewer keeps the badges, challenges and prizes of the company."""
    return any(viewer.may(deed, company) for deed in KEEPING)


def define_badge(*, company: Organization, terms: BadgeTerms, by: Viewer, now: datetime) -> Badge:
    """The badge, made; saying the same again gives the one that is there. Raises NotAllowed, Unusable."""
    if not may_keep(by, company):
        raise NotAllowed
    _check(terms)
    with transaction.atomic():
        Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=company.pk)
        same = Badge.objects.filter(company=company, name_en=terms.name_en, name_zh=terms.name_zh).first()
        if same is not None:
            if any(getattr(same, name) != value for name, value in asdict(terms).items()):
                raise Unusable("name_en", "name_taken")
            return same
        made = Badge.objects.create(company=company, made_by_id=by.user_id, made_at=now, **asdict(terms))
        details = {"badge": made.pk, "kind": made.kind, "count": made.count}
        note(deed="badge.defined", actor=by, organization=company, subject=str(made), details=details, now=now)
    return made


def retire_badge(*, badge_id: int, by: Viewer, now: datetime) -> None:
    """It is given no more; whoever has it keeps it. Repeating changes nothing. Raises NotAllowed."""
    with transaction.atomic():
        rows = Badge.objects.visible_to(by).select_for_update(no_key=True, of=("self",)).select_related("company")
        badge = rows.filter(pk=badge_id).first()
        if badge is None or not may_keep(by, badge.company):
            raise NotAllowed
        if badge.retired_at is None:
            badge.retired_at = now
            badge.save(update_fields=["retired_at"])
            details = {"badge": badge.pk}
            note(
                deed="badge.retired", actor=by, organization=badge.company, subject=str(badge), details=details, now=now
            )


def _check(terms: BadgeTerms) -> None:
    if not terms.name_en and not terms.name_zh:
        raise Unusable("name_en", "name_missing")
    for name, longest in LONGEST.items():
        if len(getattr(terms, name)) > longest:
            raise Unusable(name, "too_long")
    if terms.kind not in BadgeKind.values:
        raise Unusable("kind", "choose")
    if terms.icon not in ICONS:
        raise Unusable("icon", "choose")
    if not 1 <= terms.count <= MOST:
        raise Unusable("count", "whole_number")
    if terms.kind in (BadgeKind.DEED, BadgeKind.STREAK) and not terms.event_name:
        raise Unusable("event_name", "choose")
    if terms.kind == BadgeKind.LEVEL and not terms.level:
        raise Unusable("level", "choose")
    if terms.kind == BadgeKind.RANK and terms.period not in {*PERIODS, SEASON} - {EVER}:
        raise Unusable("period", "choose")
