"""What becomes of what an erased person read, learned and said: see `uptake.directory.erase`. Words go, counts stay."""

from __future__ import annotations

from django.db.models import Model, Q
from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import NAMELESS, Subject, Treatment
from uptake.directory.models import Policy
from uptake.programme.adoption.models import (
    Announcement,
    Enrolment,
    Feedback,
    GuideFinished,
    ReadMark,
    Training,
)

BOTH = (Policy.ANONYMISE, Policy.DROP)
SAID: tuple[tuple[type[Model], str], ...] = (
    (Feedback, "title"), (Feedback, "text"), (Feedback, "answer"), (Feedback, "uncovered_why"),
    (Announcement, "title_en"), (Announcement, "title_zh"), (Announcement, "text_en"), (Announcement, "text_zh"),
    (Training, "trainer"), (Training, "title_en"), (Training, "title_zh"), (Training, "text_en"),
    (Training, "text_zh"), (Training, "where"),
)  # fmt: skip


def _count(subject: Subject) -> int:
    own = Q(person_id=subject.person)
    return sum(model.objects.filter(own).count() for model in (Feedback, Enrolment, ReadMark, GuideFinished))


def _empty(subject: Subject) -> None:
    own = Feedback.objects.filter(person_id=subject.person)
    own.update(title=NAMELESS, text=NAMELESS)
    own.exclude(answer="").update(answer=NAMELESS)
    own.exclude(uncovered_why="").update(uncovered_why=NAMELESS)
    ReadMark.objects.filter(person_id=subject.person).delete()
    for model, column in SAID:
        # What others wrote about them.
        rows = model._default_manager.filter(subject.mentions(column))
        named = [pk for pk, text in rows.values_list("pk", column) if subject.named_in(text)]
        model._default_manager.filter(pk__in=named).update(**{column: NAMELESS})


ADOPTION = Treatment(
    "adoption",
    _("Trainings, feedback and what they read"),
    dict.fromkeys(BOTH, _("The words go; that a seat was taken and something was answered stays")),
    ("adoption.Feedback", "adoption.Enrolment", "adoption.ReadMark", "adoption.GuideFinished",
     "adoption.Announcement", "adoption.Training"),
    _count,
    _empty,
)  # fmt: skip
