"""Why a source of people needs somebody, and why what it says of somebody could not be done: codes and sentences."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from uptake.connectors.pull import words as pull_words

REASONS: Mapping[str, str | Promise] = {
    "too_many_leave": _("More than a fifth of its people would leave. Nothing was done; look and confirm."),
    "not_trusted": _("We are not an allowed address there. Add this server's address to the list of allowed ones."),
    "empty": _("It names nobody at all. Is the right to read people missing?"),
    "no_tls": _("The connection is not encrypted. Use ldaps://, or allow it expressly."),
}
TROUBLES: Mapping[str, str | Promise] = {
    "twice": _("Two people of the source have this e-mail or staff number."),
    "two_people": _("E-mail and staff number belong to different people here."),
    "same_person": _("Another id of the source is this person already."),
    "no_name": _("The source gives no name."),
    "erased": _("This person was erased here."),
    "place": _("Their department cannot be found; they stand at the company."),
    "taken": _("Somebody else of the company has this e-mail or staff number; it was not taken over."),
    "elsewhere": _("They belong to another company, too: name, e-mail and staff number stay as they are."),
    "login_kept": _("They left, but their login stays open: they belong elsewhere, or hold a role above the company."),
    "not_allowed": _("This person is not the source's to change."),
    "dates": _("The dates of their membership do not allow it."),
    "parent": _("The department it lies in cannot be found."),
    "name_taken": _("Another department beside it has this name."),
}
DEEDS: Mapping[str, str | Promise] = {
    "new": _("new"),
    "found": _("known here, taken over"),
    "back": _("comes back"),
    "changed": _("changes"),
    "same": _("as before"),
    "leaves": _("leaves"),
    "other_id": _("has another id now"),
    "unknown_inactive": _("not active, left out"),
    "refused": _("cannot be done"),
    "adopted": _("known here, taken over"),
    "gone": _("is closed once empty"),
}
FIELDS: Mapping[str, str | Promise] = {
    "name": _("name"),
    "email": _("e-mail"),
    "staff_number": _("staff number"),
    "place": _("department"),
    "parent": _("where it lies"),
    "open": _("open again"),
}


def reason(code: str) -> str:
    """Why nobody asks it any more, in the reader's language."""
    return str(REASONS[code]) if code in REASONS else pull_words.reason(code)


def trouble(code: str) -> str:
    """Why what the source says of somebody was not done; empty where it was."""
    return str(TROUBLES.get(code, "")) if code else ""
