"""What the person of an access token holds by merit: level, privileges until when, badges."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from uptake.directory.place import settings_at
from uptake.directory.scope import Viewer
from uptake.programme.beyond_a_date import rulebook_now
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.merits.models import GivenBadge
from uptake.programme.merits.privileges import privileges_of
from uptake.programme.standing_of import standing_of
from uptake.web.api.rewards import answered
from uptake.web.pages.rewards.views import company_of


def answer_merits(request: HttpRequest) -> HttpResponse:
    """The level of the person of the token, what it allows, and their badges, the newest first."""
    return answered(request, _merits)


def _merits(_request: HttpRequest, who: Viewer) -> dict[str, Any]:
    company = company_of(who)
    if company is None or who.person_id is None:
        return {"level": None, "since": None, "qualifying": 0, "privileges": [], "badges": []}
    now = timezone.now()
    standing = standing_of([who.person_id], company=company.pk, now=now)[who.person_id]
    rules = rulebook_now(RulebooksInForce([company.pk]), company.pk, now)
    today = settings_at(company).date_of(now)
    held = (
        privileges_of(company.pk, rulebook=rules.rulebook, rank=standing.rank, since=standing.since, today=today)
        if rules
        else []
    )
    given = GivenBadge.objects.held().filter(person_id=who.person_id, badge__company=company).select_related("badge")
    return {
        "level": standing.level,
        "since": standing.since,
        "qualifying": standing.qualifying,
        "privileges": [
            {
                "code": one.privilege.code,
                "name_en": one.privilege.name_in("en"),
                "name_zh": one.privilege.name_in("zh"),
                "level": one.privilege.level,
                "until": one.until,
            }
            for one in held
        ],
        "badges": [
            {
                "id": one.badge_id,
                "name_en": one.badge.name_in("en"),
                "name_zh": one.badge.name_in("zh"),
                "given_at": one.given_at,
            }
            for one in given.order_by("-given_at", "-pk")
        ],
    }
