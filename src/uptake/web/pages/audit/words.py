"""The deeds of the audit log in words; a deed that has none is shown as it is written."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import AuditEntry

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
    "leave.added": _("Leave added"),
    "leave.removed": _("Leave removed"),
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
    "system.connected": _("System connected"),
    "system.changed": _("What a system is asked with changed"),
    "system.tried_again": _("System asked again"),
    "system.read_again": _("System read again from a date"),
    "system.understood_again": _("Records set aside read again"),
    "system.set_aside": _("Records set aside for good"),
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
    "draft.shadowed": _("Draft runs as a shadow"),
    "draft.unshadowed": _("Draft no longer runs as a shadow"),
    "rulebook.published": _("Rules published"),
    "rule.lowered": _("Rule lowered at once"),
    "committee.configured": _("Terms of the committee set"),
    "proposal.opened": _("Proposal put to the vote"),
    "proposal.withdrawn": _("Proposal taken back"),
    "proposal.closed": _("Votes counted"),
    "vote.cast": _("Vote cast"),
    "appeal.filed": _("Appeal filed"),
    "appeal.taken": _("Appeal taken over"),
    "appeal.decided": _("Appeal decided"),
    "appeal.withdrawn": _("Appeal taken back"),
    "post.hidden": _("Post or reply hidden"),
    "post.kept": _("Reported post or reply kept"),
    "recognition.terms": _("Terms of recognition set"),
    "announcement.written": _("Announcement written"),
    "announcement.changed": _("Announcement changed"),
    "announcement.dropped": _("Announcement deleted before anybody was told"),
    "announcement.published": _("Announcement published"),
    "announcement.pinned": _("Announcement pinned"),
    "announcement.unpinned": _("Announcement no longer pinned"),
    "announcement.ended": _("Announcement ended"),
    "training.planned": _("Training planned"),
    "training.changed": _("Training changed"),
    "training.cancelled": _("Training called off"),
    "training.attended": _("Attendance kept"),
    "training.unmarked": _("Attendance taken back"),
    "feedback.answered": _("Feedback answered"),
    "feedback.uncovered": _("Author of anonymous feedback uncovered"),
    "guide.set": _("Starter guide set"),
    "segment.made": _("Shared segment made"),
    "segment.changed": _("Shared segment changed"),
    "segment.frozen": _("Shared segment frozen to a list"),
    "segment.dropped": _("Shared segment deleted"),
    "token.made": _("Access token made"),
    "token.revoked": _("Access token revoked"),
    "person.opened": _("Events of a person opened"),
    "reward.offered": _("Reward put on offer"),
    "reward.changed": _("Reward changed"),
    "codes.imported": _("Codes of a reward imported"),
    "redemption.approved": _("Redemption approved"),
    "redemption.fulfilled": _("Redemption fulfilled"),
    "redemption.rejected": _("Redemption rejected"),
    "redemption.cancelled": _("Redemption cancelled by the desk"),
    "redemption.refunded": _("Redemption refunded"),
    "special.asked": _("Special points asked for"),
    "special.approved": _("Special points approved"),
    "special.rejected": _("Special points rejected"),
    "budget.changed": _("Budget of points changed"),
    "debt.written_off": _("Debt written off"),
    "leave.imported": _("Leave imported"),
    "points.paid_out": _("Points of somebody who left paid out"),
    "retroactive.planned": _("Points to give afterwards reckoned"),
    "retroactive.approved": _("Points to give afterwards approved"),
    "retroactive.posted": _("Points given afterwards"),
    "retroactive.withdrawn": _("Points to give afterwards withdrawn"),
    "points.forfeited": _("Points of somebody who left forfeited"),
    "badge.defined": _("Badge defined"),
    "badge.retired": _("Badge retired"),
    "badge.given": _("Badge given by hand"),
    "badge.taken_back": _("Badge taken back by hand"),
    "challenge.planned": _("Challenge planned"),
    "challenge.opened": _("Challenge opened"),
    "challenge.ended": _("Challenge ended"),
    "challenge.verified": _("Challenge verified"),
    "challenge.paid": _("Challenge paid out"),
    "challenge.cancelled": _("Challenge called off"),
    "prizes.offered": _("Prizes of a ranking offered"),
    "prizes.stopped": _("Prizes of a ranking stopped"),
    "prizes.paid": _("Prizes of a ranking paid out"),
    "privilege.named": _("Privilege of a level named"),
    "privilege.ended": _("Privilege of a level ended"),
    "job.asked_for": _("Job asked for"),
    "ledger.published": _("Head of a ledger's chain published"),
}


def deed_in_words(deed: str) -> str:
    """ "role.given" → Role given."""
    return str(DEEDS.get(deed, deed))


def actor_in_words(entry: AuditEntry) -> str:
    """Who did it; what no person did, in the reader's words."""
    name = entry.actor_name
    if entry.actor_id is not None:
        return name
    if name == "job" or name.startswith("job "):
        return gettext("the system")
    if name.startswith("key of "):
        return gettext("key of %(source)s") % {"source": name.removeprefix("key of ")}
    return {"command line": gettext("command line"), "committee": gettext("the committee")}.get(name, name)
