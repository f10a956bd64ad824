"""How messages are said, by kind: a title, a line below it, and which page it leads to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

Content = Mapping[str, Any]


def _reward(content: Content) -> str:
    chinese = (get_language() or "").startswith("zh")
    return str(content.get("name_zh" if chinese else "name_en") or content.get("name_en") or "")


def _kept(content: Content) -> str:
    """The reward, and until when."""
    until = parse_datetime(str(content.get("until") or ""))
    if until is None:
        return _reward(content)
    last = date_format(localtime(until - timedelta(seconds=1)), "MONTH_DAY_FORMAT")
    return gettext("%(name)s, up to and including %(day)s") % {"name": _reward(content), "day": last}


def _shelf(content: Content) -> str:
    return f"/rewards/{content['reward']}/" if "reward" in content else "/rewards/"


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


def _questioned(content: Content) -> str:
    """Where one questions a line of one's ledger."""
    if "entry" not in content:
        return "/appeals/"
    return "/appeals/new/?" + urlencode({"entry": content["entry"], "company": content.get("company", "")})


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


def _impact(content: Content) -> str:
    return f"/impact/monthly/{content['report']}/" if "report" in content else "/impact/monthly/"


def _series(content: Content) -> str:
    return f"/impact/series/{content['series']}/" if "series" in content else "/impact/series/"


def _jobs(_content: Content) -> str:
    return "/jobs/"


def _inbox(_content: Content) -> str:
    return "/messages/"


def _overview(_content: Content) -> str:
    return "/overview/"


def _week(content: Content) -> str:
    """One line for each figure of a week; what is not told is left out."""
    if "first" not in content:
        return ""
    staff, active, points = (int(content.get(name) or 0) for name in ("staff", "active", "points"))
    first = date.fromisoformat(content["first"])
    told = {
        "n": f"{active:,}",
        "of": f"{staff:,}",
        "share": f"{active / max(staff, 1):.0%}",
        "day": date_format(first, "MONTH_DAY_FORMAT"),
        "top": content.get("top", ""),
        "top_share": f"{float(content.get('top_share') or 0):.0%}",
        "points": f"{points:,}",
    }
    questions = int(content.get("questions") or 0)
    lines = [
        gettext("%(place)s, week from %(day)s") % {**told, "place": content.get("place", "")},
        ngettext("Active: %(share)s (%(n)s of %(of)s person)", "Active: %(share)s (%(n)s of %(of)s people)", staff)
        % told,
        gettext("Most active: %(top)s, %(top_share)s") % told if content.get("top") else "",
        ngettext("%(points)s point given by rules", "%(points)s points given by rules", points) % told,
        ngettext("%(q)s question waits for an answer", "%(q)s questions wait for an answer", questions)
        % {"q": questions}
        if questions
        else "",
    ]
    return "\n".join(line for line in lines if line)


def _nothing(_content: Content) -> str:
    return ""


Part = Callable[[Content], str]
GAP_OF: Mapping[Part, str] = {
    _reward: "name", _kept: "name", _title: "title", _native: "title", _level: "level", _week: "figures",
}  # fmt: skip
"""By which gap a place's own words name what a notice is about."""
NOTICES: Mapping[str, tuple[str | Promise, Part, Part, str]] = {
    "redemption.approved": (gettext_lazy("Your redemption was approved"), _reward, _redemption, "good"),
    "redemption.fulfilled": (gettext_lazy("Your reward is ready"), _reward, _redemption, "good"),
    "redemption.rejected": (gettext_lazy("Your redemption was refused"), _reward, _redemption, "warn"),
    "redemption.voided": (
        gettext_lazy("Your redemption was turned down: its points were found to be earned by pretence"),
        _reward,
        _redemption,
        "warn",
    ),
    "redemption.timed_out": (gettext_lazy("Nobody answered your redemption in time"), _reward, _redemption, "warn"),
    "redemption.refunded": (gettext_lazy("Your points were given back"), _reward, _redemption, "good"),
    "reward.kept": (gettext_lazy("A reward you wait for is kept for you"), _kept, _shelf, "good"),
    "reward.lapsed": (gettext_lazy("The days are over for which a reward was kept for you"), _reward, _shelf, "warn"),
    "reward.line_closed": (gettext_lazy("The waiting line for a reward was closed"), _reward, _shelf, "warn"),
    "proposal.opened": (gettext_lazy("A new proposal is open for your vote"), _title, _proposal, "good"),
    "proposal.closed": (gettext_lazy("A vote is over"), _title, _proposal, "good"),
    "proposal.withdrawn": (gettext_lazy("A proposal was withdrawn"), _title, _proposal, "warn"),
    "appeal.assigned": (gettext_lazy("An appeal waits for your answer"), _nothing, _appeal, "warn"),
    "appeal.decided": (gettext_lazy("Your appeal was answered"), _nothing, _appeal, "good"),
    "gaming.held": (
        gettext_lazy("Some of your points are on hold while people look at them"),
        _nothing,
        _points,
        "warn",
    ),
    "gaming.released": (gettext_lazy("The review is over: your points are yours again"), _nothing, _points, "good"),
    "gaming.taken": (gettext_lazy("Points were taken after a review; you may appeal"), _nothing, _questioned, "warn"),
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
    "level_lowered": (gettext_lazy("Your level fell after a review of points"), _level, _points, "warn"),
    "level_restored": (gettext_lazy("Your level was given back"), _level, _points, "good"),
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
    "chat.tested": (gettext_lazy("Uptake speaks in this group now"), _nothing, _inbox, "good"),
    "connection.needs_attention": (gettext_lazy("A connection needs attention"), _title, _connection, "warn"),
    "platform.put_aside": (gettext_lazy("Points of a company are not being reckoned"), _title, _jobs, "warn"),
    "platform.book_closed": (gettext_lazy("The book of a company is closed"), _title, _jobs, "warn"),
    "impact.monthly": (gettext_lazy("The monthly report on impact is there"), _title, _impact, "good"),
    "impact.series_failed": (gettext_lazy("Business figures could not be read at night"), _title, _series, "warn"),
    "guide.finished": (gettext_lazy("You finished the starter guide"), _nothing, _guide, "good"),
    "week.told": (gettext_lazy("The week in figures"), _week, _overview, "good"),
    "community.hidden": (gettext_lazy("What you wrote was hidden"), _title, _community, "warn"),
}


def notice_of(kind: str, content: Content) -> dict[str, object] | None:
    """{"title", "sub", "href", "tone"} of a message in the active language; None for a kind nobody has words for."""
    found = NOTICES.get(kind)
    if found is None:
        return None
    title, sub, href, tone = found
    return {"title": str(title), "sub": sub(content), "href": href(content), "tone": tone}


def line_of(kind: str, content: Content) -> dict[str, object]:
    """{"title", "sub", "href", "tone"} of any message in the active language, as it stands in lists and mails."""
    notice = notice_of(kind, content)
    if notice is not None:
        return notice
    award = award_of(content)
    points = int(content.get("points") or 0)
    title = f"{points:+d} · {award['title']}" if points else award["title"]
    sub = "" if award["sub"] == award["title"] else award["sub"]
    return {"title": title, "sub": sub, "href": award["href"], "tone": "good" if points >= 0 else "warn"}


def award_of(content: Content) -> dict[str, object]:
    """{"points", "title", "sub", "href"} of a message about points in the active language."""
    awards: list[Content] = list(content.get("awards") or [])
    first = awards[0] if awards else {}
    count = int(content.get("count") or len(awards) or 1)
    title = _name(first) or gettext("Points earned")
    if count > 1:
        sub = ngettext("and %(n)s more entry", "and %(n)s more entries", count - 1) % {"n": count - 1}
    else:
        sub = " · ".join(part for part in (str(first.get("object") or ""), str(first.get("title") or "")) if part)
    href = f"/points/#award-{first['award']}" if "award" in first else "/points/"
    return {"points": int(content.get("points") or 0), "title": title, "sub": sub, "href": href}


def _name(award: Content) -> str:
    labels = award.get("labels") or {}
    wanted = "zh" if (get_language() or "").startswith("zh") else "en"
    return str(labels.get(wanted) or award.get("title") or award.get("name") or "")
