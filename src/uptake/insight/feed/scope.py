"""The `scope` of a question, which may name any organization, in terms of the log, which knows companies and
departments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uptake.directory.models import Kind, Organization


def widened(question: Mapping[str, Any]) -> Mapping[str, Any]:
    """The question with every organization of its scope replaced by the companies below it (a park's), or itself (a
    company, a department), or its department (a team). What is no organization is left to be refused or to match
    nothing."""
    scope = question.get("scope")
    listed = scope if isinstance(scope, list) else [scope]
    several = [one for one in listed if isinstance(one, int) and not isinstance(one, bool)]
    if scope is None or len(several) != len(listed):
        return question
    places: list[int] = []
    for number in several:
        organization = Organization.objects.filter(pk=number).first()
        if organization is not None and organization.kind == Kind.PARK:
            below = Organization.objects.filter(kind=Kind.COMPANY, path__startswith=organization.path)
            places += below.values_list("pk", flat=True)
        elif organization is not None and organization.kind == Kind.TEAM and organization.parent_id is not None:
            places.append(organization.parent_id)
        else:
            places.append(number)
    return {**question, "scope": places or [-1]}
