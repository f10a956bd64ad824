"""What the demo's people say and give goes through the doors, and shows a circle to those who look for one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import NOW, Cast, person
from uptake.config.demo.community import GIVEN, POSTS, let_people_talk
from uptake.config.demo.park import make_park
from uptake.programme.community.models import Post, Recognition, Report
from uptake.programme.community.suspicious import suspicious_rings

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_people_of_the_demo_talk(cast: Cast) -> None:
    for number in range(9):
        person(name=f"Colleague {number}", at=cast.purchasing)
    today = (NOW + timedelta(days=15)).date()
    park = make_park(seed=1, today=today, days=1, language="en", rest=frozenset())

    let_people_talk(park, NOW + timedelta(days=15))

    assert Post.objects.count() == len(POSTS)
    assert Post.objects.filter(accepted__isnull=False).count() == 2
    assert Recognition.objects.count() == len(GIVEN)
    assert Report.objects.filter(outcome="open").count() == 1
    assert len(suspicious_rings(cast.beiyuan, NOW + timedelta(days=15))) == 1
