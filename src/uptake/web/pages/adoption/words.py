"""Refusals of adoption in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from uptake.directory.scope import NotAllowed
from uptake.programme.adoption import refusals


def in_words(refused: refusals.Refusal | NotAllowed) -> str:
    """What is wrong, and what would be right."""
    said: dict[type[Exception], str] = {
        refusals.TextWrong: _("A text is missing, or longer than fits: the limit stands at the field."),
        refusals.TimeWrong: _("The times do not fit: the end comes after the beginning, and neither is over."),
        refusals.Conflict: _("This form was sent before with other words. Open the page again."),
        refusals.Over: _("This can no longer be done with it: it is published, called off, over or not begun."),
        refusals.NumberWrong: _("A number does not fit."),
        refusals.NotForYou: _("This is for people of another place."),
        refusals.CodeWrong: _("This is not the code of the room, or not the time for it."),
        refusals.TooManyTries: _("Too many tries. Wait five minutes, or ask whoever runs the training to mark you."),
        refusals.AnswerMissing: _("Say in words what becomes of it."),
        refusals.NotAnswered: _("There is no answer to rate yet, or you rated it."),
        refusals.TooManyToday: _("You gave as much feedback today as one person may. Tomorrow there is room again."),
        refusals.ReasonMissing: _("Give the reason. It stands in the audit log, and the author reads it."),
        refusals.StepsWrong: _("Every step needs a name and the names of the events that tick it; at most 8 steps."),
    }
    return said.get(type(refused), _("You may not do this here."))
