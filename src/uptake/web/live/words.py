"""How a message is said in a toast, in the reader's language."""

from __future__ import annotations

from typing import Final

from django.utils import translation

from uptake.notify.wordings import NOBODYS, Own, award_in, notice_in
from uptake.web.live.hub import Told

POINTS: Final = "points."


def said(told: Told, language: str, own: Own = NOBODYS) -> tuple[str, dict[str, object]]:
    """(name of the event, its data). What there are words for becomes a `notice` with title, sub, tone and where it
    leads, also where it names points: those that are on hold or were taken back were not earned. Other points become
    an `award` with points, title, sub and where to ask why."""
    with translation.override(language):
        notice = notice_in(told.kind, told.content, own)
        if notice is not None:
            return "notice", notice
        if told.kind.startswith(POINTS) or "points" in told.content:
            return "award", award_in(told.kind, told.content, own)
        return "message", {"kind": told.kind}
