"""What each kind of message is about, and which topics reach everybody by which way unless they chose otherwise."""

from __future__ import annotations

from typing import Final

from uptake.notify.models import Topic, Way

EARNED: Final = "points_earned"
"""Points by rules: on the page of points, with their reasons, and not in the inbox."""
OF_KINDS: Final = {
    "points.recognised": Topic.RECOGNITION,
    "points.special": Topic.RECOGNITION,
    "level_reached": Topic.MERITS,
    "level_fallen": Topic.MERITS,
    "level_lowered": Topic.MERITS,
    "level_restored": Topic.MERITS,
    "guide.finished": Topic.MERITS,
}
OF_BEGINNINGS: Final = {
    "badge": Topic.MERITS,
    "challenge": Topic.MERITS,
    "redemption": Topic.REWARDS,
    "reward": Topic.REWARDS,
    "proposal": Topic.RULES,
    "appeal": Topic.RULES,
    "community": Topic.COMMUNITY,
    "announcement": Topic.ANNOUNCEMENTS,
    "training": Topic.TRAININGS,
    "feedback": Topic.FEEDBACK,
    "connection": Topic.CONNECTIONS,
    "platform": Topic.CONNECTIONS,
    "impact": Topic.REPORTS,
    "week": Topic.ANNOUNCEMENTS,
}
MAILED: Final = frozenset({Topic.ANNOUNCEMENTS, Topic.TRAININGS, Topic.FEEDBACK, Topic.CONNECTIONS})
"""Mails of these are written by whoever tells of them, and everybody gets them."""
CANNOT_WAIT: Final = frozenset({Topic.TRAININGS, Topic.CONNECTIONS})
"""Mails of these come at once, whatever the hour."""


def topic_of(kind: str) -> Topic:
    """The topic of a kind of message; what nothing else claims is about points."""
    return OF_KINDS.get(kind) or OF_BEGINNINGS.get(kind.partition(".")[0], Topic.POINTS)


def kinds_of(topic: Topic) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(kinds, beginnings of kinds) of a topic other than points."""
    kinds = tuple(kind for kind, one in OF_KINDS.items() if one == topic)
    return kinds, tuple(f"{beginning}." for beginning, one in OF_BEGINNINGS.items() if one == topic)


def by_default(topic: Topic, way: Way) -> bool:
    """Whether those who chose nothing get a topic by this way."""
    return way == Way.PAGE or topic in MAILED
