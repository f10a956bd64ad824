"""What stands around the demo park: a directory that may say who belongs and has said nothing yet, software and a
group that are told. Nothing is sent: both are paused, and what waits can be looked at.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.config.demo.park import DemoPark
from uptake.connectors.people.change_source import add_source
from uptake.connectors.people.models import Sort
from uptake.directory.models import Organization
from uptake.directory.scope import EVERYTHING
from uptake.notify.models import About, Chat
from uptake.notify.subscribe import make_channel, make_webhook, pause_webhook, test_webhook

COMPANY = "beiyuan"
NAMES = {
    "source": ("Group directory", "集团统一身份"),
    "software": ("HR system", "人事系统"),
    "group": ("Project group", "项目推进群"),
}


@transaction.atomic
def stand_around(park: DemoPark, now: datetime) -> None:
    """Makes them all, or none."""
    chinese = park.language.startswith("zh")
    name = {which: words[chinese] for which, words in NAMES.items()}
    company = Organization.objects.get(slug=COMPANY)

    add_source(company=company, sort=Sort.SCIM, name=name["source"], settings={}, secrets={}, by=EVERYTHING, now=now)
    software, _secret = make_webhook(
        organization=company,
        name=name["software"],
        address="https://hr.beiyuan.example/hooks/uptake",
        about=[About.REDEMPTIONS, About.LEVELS],
        by=EVERYTHING,
        now=now,
    )
    test_webhook(webhook=software, by=EVERYTHING, now=now)
    pause_webhook(webhook=software, by=EVERYTHING, now=now)
    group = make_channel(
        organization=company,
        name=name["group"],
        chat=Chat.DINGTALK,
        address="https://oapi.dingtalk.com/robot/send?access_token=" + "0123456789abcdef" * 4,
        about=[About.ANNOUNCEMENTS, About.ALERTS],
        language="zh-hans" if chinese else "en",
        by=EVERYTHING,
        now=now,
    )
    pause_webhook(webhook=group, by=EVERYTHING, now=now)
