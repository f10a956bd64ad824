"""The deeds of the audit log in words; a deed that has none is shown as it is written."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DEEDS: Mapping[str, str | Promise] = {
    "organization.made": _("Place added"),
    "organization.renamed": _("Place renamed"),
    "organization.clock_set": _("Time zone or day start set"),
    "organization.moved": _("Place moved"),
    "organization.closed": _("Place closed"),
    "organization.reopened": _("Place opened again"),
    "person.enrolled": _("Person added"),
    "person.described": _("Person changed"),
    "person.erased": _("Person erased"),
    "membership.begun": _("Membership begun"),
    "membership.ended": _("Membership ended"),
    "membership.moved": _("Person moved"),
    "role.given": _("Role given"),
    "role.ended": _("Role ended"),
    "login.opened": _("Login opened"),
    "login.invited": _("Sign-in link made"),
    "login.closed": _("Login closed"),
    "login.second_step_dropped": _("Second step removed"),
    "identity.mapped": _("Identity given a person"),
    "identity.freed": _("Identity taken from a person"),
    "people.imported": _("People imported"),
    "product.defined": _("Product described"),
    "seats.issued": _("Seats issued"),
    "seat.invited": _("Invited to a seat"),
    "seat.revoked": _("Seat taken back"),
    "calendar.filled": _("Calendar filled"),
    "calendar.day_set": _("Calendar day set"),
    "calendar.day_cleared": _("Calendar day cleared"),
    "connection.made": _("Connection made"),
    "connection.page_events": _("Events of web pages named"),
    "connection.paused": _("Connection paused"),
    "connection.resumed": _("Connection resumed"),
    "key.made": _("Key made"),
    "key.revoked": _("Key revoked"),
    "event.accepted": _("Event accepted from quarantine"),
    "event.declined": _("Event declined in quarantine"),
    "conflict.seen": _("Conflicts looked at"),
    "event_type.described": _("Kind of event described"),
    "import.begun": _("Import begun"),
    "import.queued": _("Import started"),
    "import.undone": _("Import undone"),
    "draft.begun": _("Draft of a rulebook begun"),
    "draft.proposed": _("Draft proposed"),
    "draft.given_back": _("Draft given back"),
    "draft.withdrawn": _("Draft withdrawn"),
    "rulebook.published": _("Rules published"),
    "segment.made": _("Shared segment made"),
    "segment.changed": _("Shared segment changed"),
    "segment.frozen": _("Shared segment frozen to a list"),
    "segment.dropped": _("Shared segment deleted"),
    "token.made": _("Access token made"),
    "token.revoked": _("Access token revoked"),
    "person.opened": _("Events of a person opened"),
    "job.asked_for": _("Job asked for"),
    "ledger.published": _("Head of a ledger's chain published"),
}


def deed_in_words(deed: str) -> str:
    """ "role.given" → Role given."""
    return str(DEEDS.get(deed, deed))
