"""Points under review in the demo: the one who moves stock to and fro was looked at before, and found again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth import get_user_model

from uptake.config.demo.names import Words
from uptake.config.demo.park import DemoPark
from uptake.directory.models import Organization
from uptake.directory.scope import viewer_of
from uptake.insight.gaming.decide import give_opinion
from uptake.insight.gaming.find import find_due, find_signs
from uptake.insight.gaming.models import Verdict
from uptake.programme.thresholds import thresholds_on

LOOKED_DAYS = (60, 30)
"""So many days ago it was searched: before the rulebook was mended so that moving to and fro earns nothing."""
REASON = Words(
    "The shift leader says a new shelf was being tried out. We could not tell; it is looked at again if it goes on.",
    "班组长说当时在试用新货架。无法判断;如果继续出现,会再次复核。",
)


def plant_reviews(park: DemoPark, now: datetime) -> None:
    """One finding of long ago, decided; a later one that waits with its points on hold; and the search of today."""
    ren = viewer_of(get_user_model().objects.get(username="ren"), today=park.today)
    beiyuan = Organization.objects.get(slug="beiyuan")
    for days in LOOKED_DAYS:
        then = now - timedelta(days=days - 1)
        for one in find_signs(company=beiyuan, last=park.today - timedelta(days=days), now=then):
            if days == LOOKED_DAYS[0]:
                reason = REASON.in_(park.language)
                give_opinion(finding=one, verdict=Verdict.UNCLEAR, reason=reason, by=ren, now=then + timedelta(days=2))
    find_due(now=now, thresholds=thresholds_on)
