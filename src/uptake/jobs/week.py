"""What groups are told of a place's week: the figures of insight, with points and questions of the programme."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from uptake.directory.models import Organization
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.week import week_of
from uptake.programme.community.models import Post
from uptake.programme.models import Award


def figures_of(place: Organization, monday: date) -> dict[str, Any] | None:
    """The content of the message; None where too few people belong to the place."""
    week = week_of(activity_log(), place, monday)
    if week is None:
        return None
    points = Award.objects.points_at(place, monday, monday + timedelta(days=6))
    return week.told(points=points, questions=Post.objects.open_questions(place).count())
