"""Points under review in the demo: the one who moves stock to and fro was looked at before, and found again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth import get_user_model

from uptake.config.demo.names import Words
from uptake.config.demo.park import DemoPark
from uptake.directory.models import Organization
from uptake.directory.scope import Viewer, viewer_of
from uptake.insight.gaming.decide import give_opinion
from uptake.insight.gaming.find import find_due, find_signs
from uptake.insight.gaming.models import Finding, Verdict
from uptake.programme.thresholds import thresholds_on
from uptake.web.pages.gaming.follows import FOLLOWS

LOOKED_DAYS = (60, 30)
"""So many days ago it was searched: before the rulebook was mended so that moving to and fro earns nothing."""
REASON = Words(
    "The shift leader says a new shelf was being tried out. We could not tell; it is looked at again if it goes on.",
    "班组长说当时在试用新货架。无法判断；如果继续出现，会再次复核。",
)

AGAIN = Words("The same piece again, in the last half hour before closing.", "仍是同一件货，都在下班前半小时。")
SEEN = Words("I asked on site: the piece never left its shelf.", "现场核实过：这件货从未离开货架。")


def plant_reviews(park: DemoPark, now: datetime) -> None:
    """One finding of long ago that could not be told; a later one that two people called real; and the search of today,
    whose findings wait with their points on hold."""
    ren, an = (viewer_of(get_user_model().objects.get(username=name), today=park.today) for name in ("ren", "admin"))
    beiyuan = Organization.objects.get(slug="beiyuan")
    for days in LOOKED_DAYS:
        then = now - timedelta(days=days - 1)
        for one in find_signs(company=beiyuan, last=park.today - timedelta(days=days), now=then):
            at = then + timedelta(days=2)
            if days == LOOKED_DAYS[0]:
                _say(one, Verdict.UNCLEAR, REASON.in_(park.language), ren, at)
            else:
                for by, reason in ((ren, AGAIN), (an, SEEN)):
                    _say(one, Verdict.REAL, reason.in_(park.language), by, at)
    find_due(now=now, thresholds=thresholds_on)


def _say(one: Finding, verdict: Verdict, reason: str, by: Viewer, at: datetime) -> None:
    give_opinion(finding=one, verdict=verdict, reason=reason, by=by, follows=FOLLOWS, now=at)
