"""Refusals of the community in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from uptake.directory.scope import NotAllowed
from uptake.programme.community import refusals


def in_words(refused: refusals.Refusal | NotAllowed) -> str:
    """What is wrong, and what would be right."""
    if isinstance(refused, refusals.AllowanceSpent):
        if refused.left <= 0:
            return _("You have given all your points of this month. There are new ones on the first of the next.")
        return _("You have %(left)s points left to give this month.") % {"left": refused.left}
    said: dict[type[Exception], str] = {
        refusals.TextWrong: _("Say something, and not more than fits: the limit stands at the field."),
        refusals.TooManyToday: _("You wrote as much today as one person may. Tomorrow there is room again."),
        refusals.TooLate: _("It can no longer be changed: 15 minutes are over, or somebody decided on it."),
        refusals.NotAccepted: _("Only one answer is accepted, and not one's own."),
        refusals.Conflict: _("This form was sent before with other words. Open the page again."),
        refusals.NotThere: _("This person does not belong to your company today."),
        refusals.ToOneself: _("Nobody recognises themselves."),
        refusals.WrongPortion: _("One portion is smaller or larger than allowed here."),
        refusals.TooOftenToSame: _("You recognised this person as often this month as one may."),
        refusals.TooMutual: _("The two of you returned each other's recognition as often this month as you may."),
        refusals.WrongTerms: _("These numbers do not fit together."),
    }
    return said.get(type(refused), _("You may not do this here."))
