"""How messages that are not about points are said, by kind: a title, a line below it, and where it leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy

Content = Mapping[str, Any]


def _reward(content: Content) -> str:
    chinese = (get_language() or "").startswith("zh")
    return str(content.get("name_zh" if chinese else "name_en") or content.get("name_en") or "")


def _redemption(content: Content) -> str:
    return f"/rewards/mine/{content['redemption']}/" if "redemption" in content else "/rewards/mine/"


def _proposal(content: Content) -> str:
    return f"/committee/{content['proposal']}/" if "proposal" in content else "/committee/"


def _appeal(content: Content) -> str:
    return f"/appeals/{content['appeal']}/" if "appeal" in content else "/appeals/"


def _title(content: Content) -> str:
    return str(content.get("title") or "")


def _level(content: Content) -> str:
    return str(content.get("level") or "")


def _points(_content: Content) -> str:
    return "/points/"


def _community(content: Content) -> str:
    return str(content.get("href") or "/community/")


def _native(content: Content) -> str:
    chinese = (get_language() or "").startswith("zh")
    said = (content.get("title_zh"), content.get("title_en")) if chinese else (content.get("title_en"), "")
    return str(next((one for one in (*said, content.get("title_zh")) if one), ""))


def _announcement(content: Content) -> str:
    return f"/news/{content['announcement']}/" if "announcement" in content else "/news/"


def _training(content: Content) -> str:
    return f"/trainings/{content['training']}/" if "training" in content else "/trainings/"


def _feedback(content: Content) -> str:
    return f"/feedback/{content['feedback']}/" if "feedback" in content else "/feedback/"


def _guide(_content: Content) -> str:
    return "/guide/"


def _challenge(content: Content) -> str:
    return f"/merits/challenges/{content['challenge']}/" if "challenge" in content else "/merits/"


def _merits(_content: Content) -> str:
    return "/merits/"


def _connection(content: Content) -> str:
    return f"/data/connections/{content['connection']}" if "connection" in content else "/data/"


def _nothing(_content: Content) -> str:
    return ""


Part = Callable[[Content], str]
NOTICES: Mapping[str, tuple[str | Promise, Part, Part, str]] = {
    "redemption.approved": (gettext_lazy("Your redemption was approved"), _reward, _redemption, "good"),
    "redemption.fulfilled": (gettext_lazy("Your reward is ready"), _reward, _redemption, "good"),
    "redemption.rejected": (gettext_lazy("Your redemption was refused"), _reward, _redemption, "warn"),
    "redemption.timed_out": (gettext_lazy("Nobody answered your redemption in time"), _reward, _redemption, "warn"),
    "redemption.refunded": (gettext_lazy("Your points were given back"), _reward, _redemption, "good"),
    "proposal.opened": (gettext_lazy("A new proposal is open for your vote"), _title, _proposal, "good"),
    "proposal.closed": (gettext_lazy("A vote is over"), _title, _proposal, "good"),
    "proposal.withdrawn": (gettext_lazy("A proposal was withdrawn"), _title, _proposal, "warn"),
    "appeal.assigned": (gettext_lazy("An appeal waits for your answer"), _nothing, _appeal, "warn"),
    "appeal.decided": (gettext_lazy("Your appeal was answered"), _nothing, _appeal, "good"),
    "points.retroactive": (gettext_lazy("Points were given to you afterwards"), _title, _points, "good"),
    "points.retroactive_taking": (
        gettext_lazy("Points given too much will be taken back; you may appeal"),
        _title,
        _points,
        "warn",
    ),
    "points.retroactive_taken": (gettext_lazy("Points given too much were taken back"), _title, _points, "warn"),
    "debt.written_off": (gettext_lazy("A small debt of yours was written off"), _nothing, _points, "good"),
    "level_reached": (gettext_lazy("You reached a level"), _level, _points, "good"),
    "level_fallen": (gettext_lazy("Your level changed with the season"), _level, _points, "warn"),
    "badge.given": (gettext_lazy("You were given a badge"), _reward, _merits, "good"),
    "badge.taken_back": (gettext_lazy("A badge was taken back"), _reward, _merits, "warn"),
    "challenge.met": (gettext_lazy("You reached the goal of a challenge"), _reward, _challenge, "good"),
    "community.answered": (gettext_lazy("Your question has an answer"), _title, _community, "good"),
    "community.commented": (gettext_lazy("Somebody commented on your post"), _title, _community, "good"),
    "community.accepted": (gettext_lazy("Your answer was accepted"), _title, _community, "good"),
    "announcement.published": (gettext_lazy("Announcement"), _native, _announcement, "good"),
    "training.moved_up": (gettext_lazy("You have a place in the training now"), _native, _training, "good"),
    "training.moved": (gettext_lazy("Time or place of a training changed"), _native, _training, "warn"),
    "training.cancelled": (gettext_lazy("A training was called off"), _native, _training, "warn"),
    "feedback.answered": (gettext_lazy("Your feedback was answered"), _title, _feedback, "good"),
    "feedback.uncovered": (gettext_lazy("Your name was uncovered at your feedback"), _title, _feedback, "warn"),
    "connection.needs_attention": (gettext_lazy("A connection needs attention"), _title, _connection, "warn"),
    "guide.finished": (gettext_lazy("You finished the starter guide"), _nothing, _guide, "good"),
    "community.hidden": (gettext_lazy("What you wrote was hidden"), _title, _community, "warn"),
}


def notice_of(kind: str, content: Content) -> dict[str, object] | None:
    """{"title", "sub", "href", "tone"} of a message in the active language; None for a kind nobody has words for."""
    found = NOTICES.get(kind)
    if found is None:
        return None
    title, sub, href, tone = found
    return {"title": str(title), "sub": sub(content), "href": href(content), "tone": tone}
