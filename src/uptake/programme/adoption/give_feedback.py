"""Say something to those who run the programme, and rate their answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from uptake.directory.calendar import working_days_between
from uptake.directory.models import Organization, Person
from uptake.directory.place import settings_at
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.events.record_own import OwnDeed, record_own
from uptake.programme.adoption.models import About, Feedback
from uptake.programme.adoption.refusals import Conflict, NotAnswered, NotForYou, NumberWrong, TextWrong, TooManyToday

LONGEST_TITLE: Final = 120
LONGEST_TEXT: Final = 4000
A_DAY: Final = 10
WORKING_DAYS: Final = 5
"""Answered within so many working days of the company is answered in time."""
STARS: Final = range(1, 6)


@transaction.atomic
def give_feedback(
    *,
    company: Organization,
    about: About,
    title: str,
    text: str,
    key: str,
    by: Viewer,
    now: datetime,
    anonymous: bool = False,
    shared: bool = False,
) -> Feedback:
    """Puts it into the company's box. Once per key.

    `anonymous` hides the author from everybody who reads it; its events then name nobody, so it earns nothing.
    Raises NotForYou, TextWrong, TooManyToday, Conflict.
    """
    person = by.person_id
    if person is None or not any(path.startswith(company.path) for path in by.places):
        raise NotForYou
    title, text = said(title, LONGEST_TITLE), said(text, LONGEST_TEXT)
    Person.objects.select_for_update(no_key=True).get(pk=person)
    known = Feedback.objects.filter(person_id=person, key=key).first()
    if known is not None:
        if (known.company_id, known.about, known.title, known.text, known.anonymous, known.shared) != (
            company.pk, about, title, text, anonymous, shared
        ):  # fmt: skip
            raise Conflict
        return known
    today = settings_at(company).start_of(settings_at(company).date_of(now))
    if Feedback.objects.filter(person_id=person, given_at__gte=today).count() >= A_DAY:
        raise TooManyToday
    made = Feedback.objects.create(
        company=company,
        person_id=person,
        key=key,
        about=about,
        title=title,
        text=text,
        anonymous=anonymous,
        shared=shared,
        given_at=now,
        due_at=due_at(company, now),
    )
    told = f"feedback/{made.pk}"
    who = None if anonymous else person
    record_own([OwnDeed(company.pk, who, "feedback.given", told, now, told, {"kind": str(about)})], now=now)
    return made


@transaction.atomic
def rate_answer(*, feedback: Feedback, stars: int, by: Viewer, now: datetime) -> Feedback:
    """What the answer is worth to the author, 1 to 5, once; the same again changes nothing.

    Raises NotAllowed (only the author rates), NumberWrong, NotAnswered.
    """
    found = Feedback.objects.select_for_update(no_key=True).get(pk=feedback.pk)
    if by.person_id is None or by.person_id != found.person_id:
        raise NotAllowed
    if stars not in STARS:
        raise NumberWrong
    if found.rating == stars:
        return found
    if found.answered_at is None or found.rating is not None:
        raise NotAnswered
    found.rating, found.rated_at = stars, now
    found.save(update_fields=["rating", "rated_at"])
    told = f"feedback/{found.pk}"
    who = None if found.anonymous else found.person_id
    record_own([OwnDeed(found.company_id, who, "feedback.rated", told, now, told, {"rating": stars})], now=now)
    return found


def due_at(company: Organization, now: datetime) -> datetime:
    """The end of the fifth working day of the company after the business date of `now`."""
    clock = settings_at(company)
    today = clock.date_of(now)
    coming = working_days_between(company, today + timedelta(days=1), today + timedelta(days=30))
    last = coming[WORKING_DAYS - 1] if len(coming) >= WORKING_DAYS else today + timedelta(days=30)
    return clock.start_of(last + timedelta(days=1))


def said(text: str, longest: int) -> str:
    """The text without blanks around it; TextWrong where nothing is left or too much."""
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text or len(text) > longest:
        raise TextWrong
    return text
