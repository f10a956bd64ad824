"""Who belongs to a segment, and what it is in a question; nobody is told of people outside the own places."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from uptake.activity import ActivityLog
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Viewer
from uptake.insight.metrics.told import people_behind, told
from uptake.insight.models import Segment


def narrowing(segment: Segment) -> dict[str, Any]:
    """The keys by which a question is narrowed to a segment.

    A live one is reckoned by the events at the places asked about, as of the end of the question's period."""
    if segment.members is None:
        return {"segment": segment.criteria}
    if segment.of_companies:
        return {"segment": {"of": "company", "criteria": [{"kind": "people", "people": segment.members or [-1]}]}}
    return {"only_persons": segment.members}


def members_of(log: ActivityLog, viewer: Viewer, segment: Segment, day: date) -> list[int]:
    """Ids of the people (or companies) who belong on a day at the place, sorted; of a static one those of its day.

    TotalsOnly where the viewer may not see the people of the place."""
    if segment.members is not None:
        return list(segment.members)
    return reckoned(log, viewer, segment.criteria, segment.organization, day)


def reckoned(
    log: ActivityLog, viewer: Viewer, criteria: Mapping[str, Any], place: Organization, day: date
) -> list[int]:
    """Ids of the people (or companies) of whom the criteria hold on a day at the place, sorted. Raises QuestionRefused
    (TotalsOnly where the viewer may not see the people of the place)."""
    own = {key: criteria[key] for key in ("match", "criteria") if key in criteria}
    question: dict[str, Any] = {
        "analysis": "cohort",
        "timezone": settings_at(place).on(day).zone,
        "scope": [place.pk],
        "as_of": day.isoformat(),
        **own,
    }
    if criteria.get("negated"):
        question["criteria"] = [{**own, "negated": True}]
        question.pop("match", None)
    if criteria.get("of") == "company":
        answer = told(log, viewer, {**question, "count_by": "company"})
        return sorted(int(one) for one in answer["people"])
    return [code for code in people_behind(log, viewer, question, {}) if code > 0]
