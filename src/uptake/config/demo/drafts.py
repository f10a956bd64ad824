"""Drafts of rulebooks in the making: one edited and back-tested, one just begun from a template."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from uptake.config.demo.names import Words
from uptake.config.demo.park import DemoPark
from uptake.directory.models import Organization
from uptake.directory.scope import viewer_of
from uptake.programme.drafting.ask_back_test import ask_back_test
from uptake.programme.drafting.begin import begin_draft
from uptake.programme.drafting.run_back_tests import run_back_test
from uptake.programme.in_force import rulebook_version_on
from uptake.programme.templates.list import TEMPLATES

PLACE = "beiyuan"
DAYS = 14
TITLE = Words("Pay stock counts by lines, and cap the small moves", "盘点按行计分，限制零散移库")
LEARNING = Words("Learning and help in the whole park", "全园区的学习与互助")
CHANGED: dict[str, dict[str, Any]] = {
    "stock-counted": {"points": {"per": "lines", "each": 5, "points": 2, "whole_units": True, "max": 16}},
    "stock-moved": {"cap": [{"points": 12, "every": "day"}], "cooldown_seconds": 120},
    "work-order": {"points": {"per": "pieces", "each": 40, "points": 1, "min": 1, "max": 6}},
}
EXAMPLES: list[dict[str, Any]] = [
    {"event": "stock.counted", "facts": {"lines": 25, "correct": True}, "points": 10},
    {"event": "stock.counted", "facts": {"lines": 25, "correct": False}, "points": 0},
    {"event": "report.submitted", "facts": {}, "points": 6},
]


def plant_drafts(park: DemoPark, now: datetime) -> None:
    """Begins the drafts and runs the back-test of the first."""
    user = get_user_model().objects.get(username="ren")
    ren = viewer_of(user, today=park.today)
    place = Organization.objects.get(slug=PLACE)
    version = rulebook_version_on(place, park.today)
    assert version is not None, "the park has its rulebook by now"
    file = json.loads(version.file)
    for rule in file["rules"]:
        if "until" not in rule and rule["rule"] in CHANGED:
            rule.update(CHANGED[rule["rule"]], version=rule["version"] + 1)
    draft = begin_draft(
        organization=place, title=TITLE.in_(park.language), rulebook=file, examples=EXAMPLES, by=ren, now=now
    )
    run = ask_back_test(draft=draft, days=DAYS, by=ren, now=now)
    run_back_test(run_id=run.pk, clock=lambda: now)
    learning = next(one for one in TEMPLATES if one.slug == "erp_classic")
    park_place = Organization.objects.get(slug="linjiang")
    begin_draft(organization=park_place, title=LEARNING.in_(park.language), rulebook=learning.rulebook, by=ren, now=now)
