"""Names what a level opens, and ends it."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.programme.merits.define_badge import LONGEST, may_keep
from uptake.programme.merits.models import Privilege
from uptake.programme.merits.refusals import Unusable

CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_DAYS = 3650


def name_privilege(
    *,
    company: Organization,
    code: str,
    level: str,
    by: Viewer,
    now: datetime,
    name_en: str = "",
    name_zh: str = "",
    text_en: str = "",
    text_zh: str = "",
    days: int | None = None,
) -> Privilege:
    """Whoever holds the level, or a higher one, holds the privilege: for `days` from when the level was reached, and
    no longer than the season. Naming it again gives what is there. Raises NotAllowed, Unusable."""
    if not may_keep(by, company):
        raise NotAllowed
    terms = {"name_en": name_en, "name_zh": name_zh, "text_en": text_en, "text_zh": text_zh}
    if not name_en and not name_zh:
        raise Unusable("name_en", "name_missing")
    for field, value in terms.items():
        if len(value) > LONGEST[field]:
            raise Unusable(field, "too_long")
    if not CODE.fullmatch(code) or len(code) > 60:
        raise Unusable("code", "code")
    if not level or len(level) > LONGEST["level"]:
        raise Unusable("level", "choose")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise Unusable("days", "whole_number")
    with transaction.atomic():
        Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=company.pk)
        known = Privilege.objects.filter(company=company, code=code, ended_at__isnull=True).first()
        if known is not None:
            same = all(
                getattr(known, field) == value for field, value in {**terms, "level": level, "days": days}.items()
            )
            if not same:
                raise Unusable("code", "code_taken")
            return known
        made = Privilege.objects.create(
            company=company, code=code, level=level, days=days, made_by_id=by.user_id, made_at=now, **terms
        )
        _note("named", made, by, now)
    return made


def end_privilege(*, privilege_id: int, by: Viewer, now: datetime) -> None:
    """Nobody holds it any more. Repeating changes nothing. Raises NotAllowed."""
    with transaction.atomic():
        rows = Privilege.objects.visible_to(by).select_for_update(no_key=True, of=("self",))
        row = rows.select_related("company").filter(pk=privilege_id).first()
        if row is None or not may_keep(by, row.company):
            raise NotAllowed
        if row.ended_at is None:
            row.ended_at = now
            row.save(update_fields=["ended_at"])
            _note("ended", row, by, now)


def _note(deed: str, row: Privilege, by: Viewer, now: datetime) -> None:
    details = {"code": row.code, "level": row.level, "days": row.days}
    note(deed=f"privilege.{deed}", actor=by, organization=row.company, subject=str(row), details=details, now=now)
