"""Answer feedback in words, say what becomes of it, and, for a reason, uncover who wrote anonymously."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import translation

from uptake.directory.audit import note
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.record_own import OwnDeed, record_own
from uptake.notify.models import Topic
from uptake.notify.tell import Telling, tell
from uptake.notify.wishes import languages_of
from uptake.notify.write_mail import Letter, write_mail
from uptake.programme.adoption.give_feedback import said
from uptake.programme.adoption.models import Feedback, FeedbackState
from uptake.programme.adoption.refusals import AnswerMissing, Over, ReasonMissing

LONGEST_ANSWER: Final = 4000
LONGEST_WHY: Final = 500
NEXT: Final = {
    FeedbackState.NEW: (FeedbackState.PLANNED, FeedbackState.ANSWERED, FeedbackState.DONE, FeedbackState.DECLINED),
    FeedbackState.SEEN: (FeedbackState.PLANNED, FeedbackState.ANSWERED, FeedbackState.DONE, FeedbackState.DECLINED),
    FeedbackState.PLANNED: (FeedbackState.PLANNED, FeedbackState.DONE, FeedbackState.DECLINED),
    FeedbackState.ANSWERED: (FeedbackState.ANSWERED, FeedbackState.PLANNED, FeedbackState.DONE, FeedbackState.DECLINED),
    FeedbackState.DONE: (),
    FeedbackState.DECLINED: (),
}
"""What may become of feedback in each state; with the same state again the words are changed."""


@transaction.atomic
def see_feedback(*, feedback: Feedback, by: Viewer, now: datetime) -> Feedback:
    """Marks new feedback as seen by somebody who answers; anything else is left as it is. Raises NotAllowed."""
    found = _locked(feedback, by)
    if found.state == FeedbackState.NEW:
        found.state, found.seen_at = FeedbackState.SEEN, now
        found.save(update_fields=["state", "seen_at"])
    return found


@transaction.atomic
def answer_feedback(*, feedback: Feedback, state: FeedbackState, answer: str, by: Viewer, now: datetime) -> Feedback:
    """Puts it into a state, with words for the author, who is told; left out, the words given before stand.

    Saying the same again changes nothing. Nobody answers their own. Raises NotAllowed, Over, AnswerMissing, TextWrong.
    """
    found = _locked(feedback, by)
    before = FeedbackState(found.state)
    words = said(answer, LONGEST_ANSWER) if answer.strip() else found.answer
    if (found.state, found.answer) == (state, words) and found.answered_at is not None:
        return found
    if state not in NEXT[FeedbackState(found.state)]:
        raise Over
    if not words:
        raise AnswerMissing
    first = found.answered_at is None
    found.state, found.answer, found.answered_by_id = state, words, by.user_id
    found.answered_at = found.answered_at or now
    found.seen_at = found.seen_at or now
    found.save()
    about = f"feedback/{found.pk}"
    _note("feedback.answered", found, by, now, {"state": str(state)})
    if first:
        facts = {"in_time": found.in_time, "hours": round((now - found.given_at).total_seconds() / 3600, 2)}
        record_own([OwnDeed(found.company_id, by.person_id, "feedback.answered", about, now, about, facts)], now=now)
    _requirement(found, before, by, now)
    _tell(found, f"{state}/{now.isoformat()}", now)
    return found


@transaction.atomic
def uncover_author(*, feedback: Feedback, why: str, by: Viewer, now: datetime) -> Feedback:
    """Lets those who answer see who wrote anonymously, because of abuse: for auditors and operators, with a reason.

    The audit log keeps it and the author is told why. Doing it again changes nothing. Raises NotAllowed, ReasonMissing.
    """
    rows = Feedback.objects.select_for_update(no_key=True, of=("self",)).select_related("company")
    found = rows.get(pk=feedback.pk)
    # Who may read the audit log is whom the log is kept for: the company's own managers may not.
    if not by.may(Deed.SEE_AUDIT, found.company):
        raise NotAllowed
    if not found.anonymous or found.uncovered_at is not None:
        return found
    why = " ".join(why.split())
    if not why or len(why) > LONGEST_WHY:
        raise ReasonMissing
    found.uncovered_at, found.uncovered_why = now, why
    found.save(update_fields=["uncovered_at", "uncovered_why"])
    _note("feedback.uncovered", found, by, now, {"why": why})
    content = {"feedback": found.pk, "title": found.title, "why": why}
    tell(
        [Telling(person_id=found.person_id, key=f"feedback.uncovered/{found.pk}", kind="feedback.uncovered",
                 content=content)],
        now=now,
    )  # fmt: skip
    return found


def _locked(feedback: Feedback, by: Viewer) -> Feedback:
    rows = Feedback.objects.select_for_update(no_key=True, of=("self",)).select_related("company")
    found = rows.get(pk=feedback.pk)
    own = by.person_id is not None and by.person_id == found.person_id
    if own or not by.may(Deed.ANSWER_FEEDBACK, found.company):
        raise NotAllowed
    return found


def _requirement(found: Feedback, before: FeedbackState, by: Viewer, now: datetime) -> None:
    """What people ask for is a requirement: accepted when it is planned, released when it is done; no matter how often
    the words are changed."""
    became = FeedbackState(found.state)
    name = {
        FeedbackState.PLANNED: "requirement.accepted",
        FeedbackState.DONE: "requirement.released",
        FeedbackState.DECLINED: "requirement.dropped" if before == FeedbackState.PLANNED else "",
    }.get(became, "")
    if name and became != before:
        about = f"feedback/{found.pk}"
        record_own([OwnDeed(found.company_id, by.person_id, name, about, now, about)], now=now)


def _note(deed: str, about: Feedback, by: Viewer, now: datetime, details: dict[str, str]) -> None:
    """The log never names who wrote: that stands where it is hidden."""
    told = {"feedback": about.pk, **details}
    note(deed=deed, actor=by, organization=about.company, subject=f"#{about.pk}", details=told, now=now)


def _tell(found: Feedback, key: str, now: datetime) -> None:
    content = {"feedback": found.pk, "title": found.title, "state": found.state}
    telling = Telling(
        person_id=found.person_id, key=f"feedback/{found.pk}/{key}", kind="feedback.answered", content=content
    )
    tell([telling], now=now)
    with translation.override(languages_of([found.person_id])[found.person_id]):
        state = str(FeedbackState(found.state).label)
    letter = Letter(
        person_id=found.person_id,
        key=f"feedback/{found.pk}/{key}",
        topic=Topic.FEEDBACK,
        kind="feedback.answered",
        facts={
            "title": found.title,
            "state": state,
            "answer": found.answer,
            "link": f"{settings.URL.geturl().rstrip('/')}/feedback/{found.pk}/",
        },
    )
    write_mail([letter], now=now)
