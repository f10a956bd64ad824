"""Feedback: given, answered in words, rated once; anonymous to all who read it, uncovered only for a reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.viewer import NotAllowed
from uptake.events.models import Event
from uptake.notify.models import Mail, Message
from uptake.programme.adoption.answer_feedback import answer_feedback, see_feedback, uncover_author
from uptake.programme.adoption.give_feedback import give_feedback, rate_answer
from uptake.programme.adoption.models import About, Feedback, FeedbackState
from uptake.programme.adoption.refusals import (
    AnswerMissing,
    Conflict,
    NotAnswered,
    NotForYou,
    NumberWrong,
    Over,
    ReasonMissing,
    TextWrong,
    TooManyToday,
)
from uptake.programme.adoption.satisfaction import Given, months_of, satisfaction_at

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


def given(cast: Cast, key: str = "a", **more: Any) -> Feedback:
    told: dict[str, Any] = {"about": About.TOOL, "title": "Printer", "text": "It loses labels.", **more}
    told.setdefault("by", cast.viewer(cast.lin))
    return give_feedback(company=cast.beiyuan, key=key, now=told.pop("now", NOW), **told)


def answered(cast: Cast, about: Feedback, now: datetime = LATER, **more: Any) -> Feedback:
    told: dict[str, Any] = {"state": FeedbackState.DONE, "answer": "Replaced.", "by": cast.viewer(cast.hua), **more}
    return answer_feedback(feedback=about, now=now, **told)


def test_it_is_given_once_and_due_after_five_working_days(cast: Cast) -> None:
    made = given(cast)
    assert given(cast) == made
    # Wednesday 13 May 2026 in Shanghai; the fifth working day after is Wednesday 20.
    assert made.due_at == datetime(2026, 5, 20, 16, 0, tzinfo=UTC)
    with pytest.raises(Conflict):
        given(cast, title="Other")
    with pytest.raises(TextWrong):
        given(cast, key="b", text=" ")
    with pytest.raises(NotForYou):
        given(cast, key="b", by=cast.viewer(cast.mo))
    for number in range(9):
        given(cast, key=f"more-{number}")
    with pytest.raises(TooManyToday):
        given(cast, key="too much")


def test_it_is_answered_in_words_and_rated_once_by_its_author(cast: Cast) -> None:
    made = given(cast)
    hua = cast.viewer(cast.hua)
    assert see_feedback(feedback=made, by=hua, now=NOW).state == FeedbackState.SEEN
    with pytest.raises(NotAnswered):
        rate_answer(feedback=made, stars=5, by=cast.viewer(cast.lin), now=LATER)
    with pytest.raises(AnswerMissing):
        answered(cast, made, answer="")
    answered(cast, made, state=FeedbackState.PLANNED, answer="Ordered.")
    done = answered(cast, made, now=LATER + timedelta(days=1), answer="")
    assert (done.state, done.answer, done.answered_at) == (FeedbackState.DONE, "Ordered.", LATER)
    with pytest.raises(Over):
        answered(cast, made, state=FeedbackState.DECLINED)

    with pytest.raises(NumberWrong):
        rate_answer(feedback=made, stars=6, by=cast.viewer(cast.lin), now=LATER)
    with pytest.raises(NotAllowed):
        rate_answer(feedback=made, stars=5, by=hua, now=LATER)
    for _again in range(2):
        rate_answer(feedback=made, stars=4, by=cast.viewer(cast.lin), now=LATER)
    with pytest.raises(NotAnswered):
        rate_answer(feedback=made, stars=5, by=cast.viewer(cast.lin), now=LATER)
    told = {one.name: (one.identity.person, one.facts) for one in Event.objects.filter(name__startswith="feedback.")}  # type: ignore[union-attr]
    assert told == {
        "feedback.given": (cast.lin, {"kind": "tool"}),
        "feedback.answered": (cast.hua, {"in_time": True, "hours": 24}),
        "feedback.rated": (cast.lin, {"rating": 4}),
    }
    assert Message.objects.filter(person=cast.lin, kind="feedback.answered").count() == 2
    assert Mail.objects.filter(person=cast.lin, topic="feedback").count() == 2


def test_nobody_answers_their_own(cast: Cast) -> None:
    made = given(cast, by=cast.viewer(cast.hua))
    with pytest.raises(NotAllowed):
        answered(cast, made)
    with pytest.raises(NotAllowed):
        answered(cast, made, by=cast.viewer(cast.lin))
    answered(cast, made, by=cast.viewer(cast.wei))


def test_who_sees_it(cast: Cast) -> None:
    made = given(cast, shared=True)

    def seen() -> set[str]:
        people = cast.people()
        return {
            who for who in people if Feedback.objects.visible_to(cast.viewer(people[who])).filter(pk=made.pk).exists()
        }

    assert seen() == {"lin", "hua", "ke", "wei", "ren", "an"}
    secret = given(cast, key="b", by=cast.viewer(cast.ke))
    assert not Feedback.objects.visible_to(cast.viewer(cast.lin)).filter(pk=secret.pk).exists()
    answered(cast, secret)
    assert not Feedback.objects.visible_to(cast.viewer(cast.lin)).filter(pk=secret.pk).exists(), "it was not shared"
    other = given(cast, key="c", by=cast.viewer(cast.ke), shared=True)
    assert not Feedback.objects.visible_to(cast.viewer(cast.lin)).filter(pk=other.pk).exists(), "not answered yet"
    answered(cast, other)
    assert Feedback.objects.visible_to(cast.viewer(cast.lin)).filter(pk=other.pk).exists()


def test_anonymous_leaves_no_name_in_events_and_in_the_audit_log(cast: Cast) -> None:
    made = given(cast, anonymous=True)
    answered(cast, made)
    rate_answer(feedback=made, stars=5, by=cast.viewer(cast.lin), now=LATER)

    events = Event.objects.filter(name__in=["feedback.given", "feedback.rated"])
    assert [one.identity for one in events] == [None, None]
    assert events[0].company == cast.beiyuan
    entries = AuditEntry.objects.filter(deed__startswith="feedback.")
    assert "Lin" not in "".join(f"{one.subject} {one.details}" for one in entries)
    assert str(cast.lin.pk) not in {str(value) for one in entries for value in one.details.values()} - {str(made.pk)}


def test_an_author_is_uncovered_for_a_reason_by_those_who_read_the_audit_log(cast: Cast) -> None:
    made = given(cast, anonymous=True)
    for who in (cast.hua, cast.wei, cast.ke):
        with pytest.raises(NotAllowed):
            uncover_author(feedback=made, why="Threat", by=cast.viewer(who), now=LATER)
    with pytest.raises(ReasonMissing):
        uncover_author(feedback=made, why=" ", by=cast.viewer(cast.ren), now=LATER)
    for _again in range(2):
        uncover_author(feedback=made, why="A threat against a colleague.", by=cast.viewer(cast.ren), now=LATER)

    assert Message.objects.get(kind="feedback.uncovered").person == cast.lin
    assert AuditEntry.objects.get(deed="feedback.uncovered").details["why"] == "A threat against a colleague."


@pytest.mark.once
def test_satisfaction_counts_by_month_what_was_decided_and_what_was_rated() -> None:
    april, may, june = (date(2026, month, 1) for month in (4, 5, 6))
    rows = [
        Given(april, decided=True, in_time=True, rating=5),
        Given(april, decided=True, in_time=False, rating=2),
        Given(april, decided=True, in_time=True, rating=None),
        Given(may, decided=False, in_time=False, rating=None),
    ]
    first, second, third = months_of(rows, [april, may, june])

    assert (first.given, first.share_in_time, first.mean_rating) == (3, Fraction(2, 3), Fraction(7, 2))
    assert (second.given, second.share_in_time, second.mean_rating) == (1, None, None)
    assert (third.given, third.decided) == (0, 0)


def test_what_is_overdue_counts_as_not_in_time(cast: Cast) -> None:
    late, fast, fresh = (given(cast, key=key) for key in "abc")
    answered(cast, fast)
    answered(cast, late, now=NOW + timedelta(days=9))
    now = NOW + timedelta(days=10)
    month = satisfaction_at(cast.beiyuan, viewer=cast.viewer(cast.hua), now=now, months=2)[-1]

    assert fresh.overdue(now)
    assert (month.month, month.given, month.decided, month.in_time) == (date(2026, 5, 1), 3, 3, 1)
    assert satisfaction_at(cast.beiyuan, viewer=cast.viewer(cast.mo), now=now)[-1].given == 0


def test_what_is_planned_and_done_is_told_as_a_requirement_once_however_often_the_words_change(cast: Cast) -> None:
    first, second, third = (given(cast, key=key) for key in "abc")
    for one, state, words in (
        (first, FeedbackState.PLANNED, "Ordered."), (first, FeedbackState.PLANNED, "Ordered today."),
        (first, FeedbackState.DONE, "Here."), (second, FeedbackState.PLANNED, "Later."),
        (second, FeedbackState.DECLINED, "Too dear."), (third, FeedbackState.DECLINED, "No."),
    ):  # fmt: skip
        answered(cast, one, state=state, answer=words)

    told = Event.objects.filter(name__startswith="requirement.").order_by("pk").values_list("name", "object")

    wish = [f"feedback/{one.pk}" for one in (first, second)]
    assert list(told) == [
        ("requirement.accepted", wish[0]), ("requirement.released", wish[0]),
        ("requirement.accepted", wish[1]), ("requirement.dropped", wish[1]),
    ]  # fmt: skip
