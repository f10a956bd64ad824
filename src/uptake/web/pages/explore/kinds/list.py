"""The one list of pages of analysis, in the order of the tabs."""

from __future__ import annotations

from uptake.web.pages.explore.kinds import (
    active,
    funnel,
    lifecycle,
    matrix,
    paths,
    retention,
    sessions,
    silence,
    stickiness,
    trends,
)
from uptake.web.pages.explore.kinds.kind import Kind

KINDS: tuple[Kind, ...] = (
    trends.KIND,
    active.KIND,
    funnel.KIND,
    paths.KIND,
    retention.KIND,
    lifecycle.KIND,
    stickiness.KIND,
    sessions.KIND,
    silence.KIND,
    matrix.KIND,
)


def kind_named(name: str) -> Kind | None:
    """The page of that name."""
    return next((kind for kind in KINDS if kind.name == name), None)
