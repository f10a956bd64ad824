"""Why a system could not be asked, and why a record was not understood: codes and their sentences."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: Mapping[str, str | Promise] = {
    "unreachable": _("The system cannot be reached."),
    "broken_answer": _("The system's answer could not be read: it ended too early or is no JSON."),
    "truncated": _("The system counts records that it did not send."),
    "slow_down": _("The system asks us to come more slowly."),
    "sign_in_refused": _("The system refuses the user name, password or key."),
    "secrets_lost": _("The kept password can no longer be opened. Give it again."),
    "anonymous": _("The system answers, but does not know us: the user name or password is wrong."),
    "forbidden": _("The system knows us, but we may not read this. Give the user the right to."),
    "not_found": _("The address, table or model does not exist there."),
    "refused": _("The system refuses the question."),
    "redirected": _("The system sends us to another address. Give that one."),
    "address": _("This is no address that may be asked."),
    "records_missing": _("The answer holds no list where the declaration says the records stand."),
    "count_missing": _("The answer holds no number where the declaration says the count stands."),
    "fields_missing": _("The time or id by which records are ordered is not in them."),
    "query": _("The database refuses the query."),
    "not_a_select": _("A query must be one SELECT."),
    "too_slow": _("The database did not answer in time. Ask for less, or for fewer days."),
    "paused": _("The connection is paused."),
    "no_sql": _("This connection is no SQL database."),
    "driver_missing": _("The driver for this kind of database is not installed."),
    "file_missing": _("The database file is not in the folder of this connection."),
    "folder_missing": _("The folder of this connection does not exist yet."),
    "too_large": _("The answer is too large. Make the page smaller."),
    "too_many_gone": _("More than half of the records seem to be gone. Has a right or a filter changed?"),
    "stuck": _("The system gives the same records again and again, so reading cannot go on."),
    "declaration": _("The declaration cannot be read."),
    "no_sweep": _("This kind of system cannot be swept."),
    "failure": _("Something failed that nobody expected. The log tells more."),
    "unfit": _("The declaration does not fit the system."),
    "attention": _("Somebody must look."),
    # of records
    "gap": _("Something the event or its key needs is not in the record."),
    "time": _("The time cannot be read."),
    "id": _("The record has no id."),
    "kind": _("This is none of user, side_effect, system."),
    "expression": _("An expression does not fit the record."),
    "row": _("The row cannot be read."),
    "file": _("The file cannot be read."),
}


def reason(code: str) -> str:
    """The sentence of a code, in the reader's language."""
    return str(REASONS.get(code, REASONS["failure"]))
