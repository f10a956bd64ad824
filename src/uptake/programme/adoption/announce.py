"""Write announcements, change them while nobody was told, publish them at once or later, pin and end them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.programme.adoption.models import Announcement
from uptake.programme.adoption.refusals import Conflict, Over, TextWrong, TimeWrong

LONGEST_TITLE: Final = 120
LONGEST_TEXT: Final = 8000


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What an announcement says, in both languages, and how."""

    title_en: str
    title_zh: str
    text_en: str
    text_zh: str
    pinned: bool = False
    by_mail: bool = False
    publishes_at: datetime | None = None
    """None: a draft."""
    ends_at: datetime | None = None


@transaction.atomic
def write_announcement(
    *, organization: Organization, wording: Wording, key: str, by: Viewer, now: datetime
) -> Announcement:
    """Keeps an announcement for everybody at the place and below it; the job tells them when its time has come.

    Once per key. Raises NotAllowed, TextWrong, TimeWrong, Conflict.
    """
    if not by.may(Deed.MANAGE_RULES, organization):
        raise NotAllowed
    told = _checked(wording, now)
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    known = Announcement.objects.filter(organization=organization, key=key).first()
    if known is not None:
        if (known.title_en, known.title_zh, known.text_en, known.text_zh) != (
            told.title_en, told.title_zh, told.text_en, told.text_zh
        ):  # fmt: skip
            raise Conflict
        return known
    made = Announcement(organization=organization, key=key, written_at=now, written_by_id=by.user_id)
    return _keep(made, told, "announcement.written", by, now)


@transaction.atomic
def change_announcement(*, announcement: Announcement, wording: Wording, by: Viewer, now: datetime) -> Announcement:
    """Changes it while nobody was told. Raises NotAllowed, Over, TextWrong, TimeWrong."""
    found = _locked(announcement, by)
    if found.published_at is not None:
        raise Over
    return _keep(found, _checked(wording, now), "announcement.changed", by, now)


@transaction.atomic
def drop_announcement(*, announcement: Announcement, by: Viewer, now: datetime) -> None:
    """Deletes one that nobody was told. Raises NotAllowed, Over."""
    found = _locked(announcement, by)
    if found.published_at is not None:
        raise Over
    _note("announcement.dropped", found, by, now)
    found.delete()


@transaction.atomic
def end_announcement(*, announcement: Announcement, by: Viewer, now: datetime) -> Announcement:
    """Ends a published one now; ending it again changes nothing. Raises NotAllowed, Over."""
    found = _locked(announcement, by)
    if found.published_at is None:
        raise Over
    if found.ends_at is None or found.ends_at > now:
        found.ends_at = now
        found.save(update_fields=["ends_at"])
        _note("announcement.ended", found, by, now)
    return found


@transaction.atomic
def pin_announcement(*, announcement: Announcement, pinned: bool, by: Viewer, now: datetime) -> Announcement:
    """Puts it above all others, or no longer. Raises NotAllowed."""
    found = _locked(announcement, by)
    if found.pinned != pinned:
        found.pinned = pinned
        found.save(update_fields=["pinned"])
        _note("announcement.pinned" if pinned else "announcement.unpinned", found, by, now)
    return found


def _locked(announcement: Announcement, by: Viewer) -> Announcement:
    rows = Announcement.objects.select_for_update(no_key=True, of=("self",)).select_related("organization")
    found = rows.get(pk=announcement.pk)
    if not by.may(Deed.MANAGE_RULES, found.organization):
        raise NotAllowed
    return found


def _checked(wording: Wording, now: datetime) -> Wording:
    begins, ends = wording.publishes_at, wording.ends_at
    if ends is not None and (begins is None or ends <= max(begins, now)):
        raise TimeWrong
    return Wording(
        title_en=_said(wording.title_en, LONGEST_TITLE),
        title_zh=_said(wording.title_zh, LONGEST_TITLE),
        text_en=_said(wording.text_en, LONGEST_TEXT),
        text_zh=_said(wording.text_zh, LONGEST_TEXT),
        pinned=wording.pinned,
        by_mail=wording.by_mail,
        publishes_at=begins,
        ends_at=ends,
    )


def _said(text: str, longest: int) -> str:
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text or len(text) > longest:
        raise TextWrong
    return text


def _keep(made: Announcement, told: Wording, deed: str, by: Viewer, now: datetime) -> Announcement:
    for name in ("title_en", "title_zh", "text_en", "text_zh", "pinned", "by_mail", "publishes_at", "ends_at"):
        setattr(made, name, getattr(told, name))
    made.save()
    _note(deed, made, by, now)
    return made


def _note(deed: str, about: Announcement, by: Viewer, now: datetime) -> None:
    details = {"announcement": about.pk, "publishes_at": about.publishes_at and about.publishes_at.isoformat()}
    note(deed=deed, actor=by, organization=about.organization, subject=about.title_en, details=details, now=now)
