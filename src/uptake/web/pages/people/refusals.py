"""The refusals of the directory's doors, in words for whoever asked."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.directory import clock, drop_second_step, enrol, erase, grant_role, leave, open_login, organize
from uptake.web.clock_words import CLOCK_REFUSALS, clock_refused

SAID: Mapping[type[Exception], str | Promise] = {
    enrol.AlreadyThere: gettext_lazy("They belong to this place in that time already."),
    enrol.NameMissing: gettext_lazy("A person needs a name."),
    enrol.WrongDates: gettext_lazy("The date must lie after the start of the membership and before its end."),
    enrol.PlaceClosed: gettext_lazy("This place is closed; nobody can join it."),
    grant_role.NotToOneself: gettext_lazy("Nobody gives a role to themselves. Ask somebody else who may."),
    grant_role.WrongPlaceForRole: gettext_lazy(
        "This role is held elsewhere: administrators and operators at the park, coaches at a company or the park."
    ),
    grant_role.WrongDates: gettext_lazy("A role ends after it starts."),
    grant_role.LastAdministrator: gettext_lazy("This is the last administrator; give the role to another one first."),
    leave.NoDays: gettext_lazy("The last day lies before the first, or years later."),
    leave.Overlaps: gettext_lazy("They are away on some of these days already."),
    open_login.LoginTaken: gettext_lazy("Another login has this name or e-mail."),
    open_login.NoName: gettext_lazy("A login needs a name."),
    open_login.NotOnesOwn: gettext_lazy("Nobody closes the login they are signed in with."),
    drop_second_step.OwnSecondStep: gettext_lazy("Your own second step is switched off on your account page."),
    drop_second_step.NoSecondStep: gettext_lazy("This login has no second step."),
    erase.NameDiffers: gettext_lazy("This is not their name, letter by letter. Nothing was erased."),
    erase.LastAdministrator: gettext_lazy("This is the last administrator; give the role to another one first."),
    organize.WrongPlace: gettext_lazy("A place of this kind cannot lie there."),
    organize.OtherCompany: gettext_lazy("A place stays in its company. Move the people instead."),
    organize.NameTaken: gettext_lazy("A place beside it has this name, or the name is empty."),
    clock.UnknownZone: gettext_lazy("This is not the name of a time zone, such as Asia/Shanghai."),
    clock.NothingPlanned: gettext_lazy("No change of the clock is planned for that date, or it has come already."),
}
REFUSALS: tuple[type[Exception], ...] = (*SAID, enrol.AlreadyKnown, organize.StillInUse, *CLOCK_REFUSALS)


def in_words(refusal: Exception) -> str:
    """What to tell the one who asked."""
    if isinstance(refusal, enrol.AlreadyKnown):
        return _("%(name)s has this e-mail or staff number.") % {"name": refusal.person.name}
    if isinstance(refusal, organize.StillInUse):
        return _("%(people)s people and %(places)s open places are still there.") % {
            "people": refusal.people,
            "places": refusal.places,
        }
    return clock_refused(refusal) or str(SAID[type(refusal)])
