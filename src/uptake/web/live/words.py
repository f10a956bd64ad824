"""How a message is said in a toast, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils import translation
from django.utils.translation import gettext, ngettext

from uptake.web.live.hub import Told
from uptake.web.live.notices import notice_of

POINTS: Final = "points."


def said(told: Told, language: str) -> tuple[str, dict[str, object]]:
    """(name of the event, its data). Points become an `award` with points, title, sub and where to ask why; what else
    there are words for a `notice` with title, sub, tone and where it leads."""
    with translation.override(language):
        if told.kind.startswith(POINTS) or "points" in told.content:
            return "award", _award(told.content)
        notice = notice_of(told.kind, told.content)
        return ("notice", notice) if notice is not None else ("message", {"kind": told.kind})


def _award(content: Mapping[str, Any]) -> dict[str, object]:
    awards: list[Mapping[str, Any]] = list(content.get("awards") or [])
    first = awards[0] if awards else {}
    count = int(content.get("count") or len(awards) or 1)
    title = _name(first) or gettext("Points earned")
    if count > 1:
        sub = ngettext("and %(n)s more entry", "and %(n)s more entries", count - 1) % {"n": count - 1}
    else:
        sub = " · ".join(part for part in (str(first.get("object") or ""), str(first.get("title") or "")) if part)
    href = f"/points/#award-{first['award']}" if "award" in first else "/points/"
    return {"points": int(content.get("points") or 0), "title": title, "sub": sub, "href": href}


def _name(award: Mapping[str, Any]) -> str:
    labels = award.get("labels") or {}
    wanted = "zh" if (translation.get_language() or "").startswith("zh") else "en"
    return str(labels.get(wanted) or award.get("title") or award.get("name") or "")
