"""The demo's search for exploits, and points to be given afterwards that wait for a second person."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth import get_user_model

from uptake.config.demo.names import Words
from uptake.config.demo.park import DemoPark
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import viewer_of
from uptake.programme.drafting.find_exploits import ask_search, run_search
from uptake.programme.drafting.models import Draft
from uptake.programme.models import RulebookVersion
from uptake.programme.retroactive.refusals import Refused
from uptake.programme.retroactive.run import plan_run

PLACE = "beiyuan"
DAYS = 5
WHY = Words(
    "The longer quality checks began a few days before the rule did.",
    "加长的质检比规则早几天开始，补上这几天的差额。",
)


def plant_afterwards(park: DemoPark, now: datetime) -> None:
    """Searches the draft of Beiyuan, and reckons what its latest rulebook would have paid more in the last days."""
    ren = viewer_of(get_user_model().objects.get(username="ren"), today=park.today)
    company = Organization.objects.get(slug=PLACE)
    draft = Draft.objects.filter(organization=company).open().order_by("-saved_at").first()
    if draft is not None:
        search = ask_search(draft=draft, by=ren, now=now, minutes={"stock.moved": "2", "stock.counted": "6"})
        run_search(search_id=search.pk, clock=lambda: now)
    version = RulebookVersion.objects.filter(organization=company).order_by("number").last()
    today = settings_at(company).date_of(now)
    try:
        if version is not None:
            plan_run(
                company=company, version=version, since=today - timedelta(days=DAYS), until=today,
                why=WHY.in_(park.language), by=ren, now=now,
            )  # fmt: skip
    except Refused:
        pass  # nobody would get more: the demo goes on without a run
