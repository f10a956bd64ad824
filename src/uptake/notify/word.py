"""A place says messages in its own words: a new version is written, nothing is overwritten; or tried by a mail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization, Person
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.notify.announce import new_number
from uptake.notify.models import Mail, Wording
from uptake.notify.own_words import from_above, held_at
from uptake.notify.phrase import PhraseRefused, check, need
from uptake.notify.wordings import (
    BY_MAIL,
    IN_GROUPS,
    LONGEST,
    ON_PAGE,
    gaps,
    in_language,
    kinds,
    needed,
    slots_of,
    topic_in,
)
from uptake.notify.write_mail import LONGEST_SUBJECT

LANGUAGES = tuple(code for code, _label in settings.LANGUAGES)
Phrases = Mapping[str, Mapping[str, str]]
"""By language and slot."""


class NoSuchKind(ValueError):
    """A kind of message that has no words of its own."""


class ChangedMeanwhile(Exception):
    """Somebody else wrote a version since the words were read."""


class NoAddress(Exception):
    """Whoever asks for a test mail has no address, or is no person."""


class WordsRefused(ValueError):
    """Words that cannot be used: which, and why; the first of them."""

    def __init__(self, language: str, slot: str, reason: PhraseRefused | None) -> None:
        self.language, self.slot, self.reason = language, slot, reason
        """Without a reason: too long."""
        super().__init__(f"{language} {slot} {type(reason).__name__}")


def proper(place: Organization, kind: str, phrases: Phrases) -> dict[str, dict[str, str]]:
    """What a place would say itself: its words without those that hold above anyway.

    Raises NoSuchKind, WordsRefused.
    """
    if kind not in kinds():
        raise NoSuchKind(kind)
    above = from_above(place, kind)
    found: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        inherited = {**in_language(language, kind), **above.get(language, {})}
        own = {}
        for slot in slots_of(kind):
            text = _clean(str(phrases.get(language, {}).get(slot) or ""), slot)
            if not text or text == _clean(inherited[slot], slot):
                continue
            if len(text) > LONGEST[slot]:
                raise WordsRefused(language, slot, None)
            try:
                check(text, gaps(kind, slot))
            except PhraseRefused as refused:
                raise WordsRefused(language, slot, refused) from refused
            own[slot] = text
        for together in (ON_PAGE, BY_MAIL, IN_GROUPS):
            _whole(kind, language, together, own, inherited)
        if own:
            found[language] = own
    return found


@transaction.atomic
def word(
    *, place: Organization, kind: str, phrases: Phrases, by: Viewer, now: datetime, seen: int | None = None
) -> Wording | None:
    """Writes the next version of how a place says a kind; none where nothing changed.

    No phrases at all: the words from above hold again. `seen`: the number of the version that was read.
    Raises NotAllowed, NoSuchKind, WordsRefused, ChangedMeanwhile.
    """
    place = Organization.objects.select_for_update(no_key=True, of=("self",)).get(pk=place.pk)
    if place.kind not in (Kind.PARK, Kind.COMPANY) or not by.may(Deed.MANAGE_PEOPLE, place):
        raise NotAllowed
    own = proper(place, kind, phrases)
    last = held_at(place, kind)
    number = last.number if last else 0
    if own == (last.phrases if last else {}):
        return None
    if seen is not None and seen != number:
        raise ChangedMeanwhile
    made = Wording.objects.create(
        organization=place, kind=kind, number=number + 1, phrases=own, by_id=by.user_id, written_at=now
    )
    details = {"kind": kind, "version": made.number, "languages": sorted(own)}
    note(deed="wording.written" if own else "wording.taken_back", actor=by, organization=place, subject=kind,
         details=details, now=now)  # fmt: skip
    return made


@transaction.atomic
def send_try(*, kind: str, mails: Mapping[str, tuple[str, str]], by: Viewer, now: datetime) -> str:
    """Mails (by language: subject, text) go to whoever asks, at once and whatever they chose; gives the address.

    Raises NoAddress.
    """
    person = Person.objects.filter(pk=by.person_id or 0, erased_at=None).exclude(email="").first()
    if person is None:
        raise NoAddress
    Mail.objects.bulk_create(
        Mail(
            person=person,
            key=f"words/{new_number()}",
            topic=topic_in(kind),
            subject=" ".join(subject.split())[:LONGEST_SUBJECT],
            text=text,
            written_at=now,
            next_at=now,
        )
        for subject, text in mails.values()
    )
    return person.email


def _clean(text: str, slot: str) -> str:
    text = "".join(one for one in text.replace("\r\n", "\n").replace("\r", "\n") if one == "\n" or one.isprintable())
    return text.strip() if slot in ("mail", "chat") else " ".join(text.split())


def _whole(
    kind: str, language: str, slots: tuple[str, ...], own: Mapping[str, str], inherited: Mapping[str, str]
) -> None:
    """What is read together must say what it is about. Raises WordsRefused of the slot that was written."""
    written = [slot for slot in slots if slot in own]
    if not written:
        return
    text = "\n".join(own.get(slot, inherited[slot]) for slot in slots)
    try:
        need(text, needed(kind, slots))
    except PhraseRefused as refused:
        raise WordsRefused(language, written[-1], refused) from refused
