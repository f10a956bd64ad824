"""What stands around the demo park: a directory that says who belongs, software and a group that are told. Nothing is
sent: both are paused, and what waits for them can be looked at.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from uptake.config.demo.park import DemoPark
from uptake.connectors.people.change_source import add_source
from uptake.connectors.people.models import Sort
from uptake.connectors.people.snapshot import Snapshot, Somebody
from uptake.connectors.people.take_over import take_over, write_run
from uptake.directory.models import Organization
from uptake.directory.scope import EVERYTHING
from uptake.notify.models import About, Chat
from uptake.notify.subscribe import make_channel, make_webhook, pause_webhook, test_webhook

COMPANY, SAID = "beiyuan", 8
"""Whose directory it is, and of how many people it speaks."""
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
    begun = now - timedelta(days=20)

    source, _key = add_source(
        company=company, sort=Sort.SCIM, name=name["source"], settings={}, secrets={}, by=EVERYTHING, now=begun
    )
    colleagues = [one for one in park.people if one.company == COMPANY][:SAID]
    people = [Somebody(key=one.login, name=one.name, staff_number=one.staff_number) for one in colleagues]
    # The same number twice: the page says so, and leaves it to a person.
    twice = Somebody(key=f"{colleagues[0].login}-old", name=colleagues[0].name, staff_number=people[0].staff_number)
    outcome = take_over(source=source, said=Snapshot([], [*people, twice], complete=False), now=begun)
    write_run(source=source, outcome=outcome.outcome, counts=outcome.counts, now=begun)

    software, _secret = make_webhook(
        organization=company,
        name=name["software"],
        address="https://hr.beiyuan.example/hooks/uptake",
        about=[About.REDEMPTIONS, About.LEVELS],
        by=EVERYTHING,
        now=begun,
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
        now=begun,
    )
    pause_webhook(webhook=group, by=EVERYTHING, now=now)
