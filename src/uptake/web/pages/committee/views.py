"""The proposals one may see, and one of them: what changes, what it would have paid, the vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.directory.models import Organization, Person
from uptake.directory.place import membership_on, settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.programme.backtest.replay import as_of
from uptake.programme.changes import Changes, changes_of, events_of
from uptake.programme.drafting.models import Draft
from uptake.programme.fairness.earnable import Earnable, earnable
from uptake.programme.governance.ballot import needed
from uptake.programme.governance.close import (
    RULES_MOVED_ON,
    NotAccepted,
    Standing,
    earliest,
    publish_accepted,
    standing_of,
)
from uptake.programme.governance.committee import is_member
from uptake.programme.governance.lowered_too import lowered_too
from uptake.programme.governance.models import Choice, Comment, Elector, Proposal, ProposalKind, ProposalState, Vote
from uptake.programme.governance.propose import NotOpen, WhyMissing, withdraw_proposal
from uptake.programme.governance.seals import broken_seals, exploits_put_to_vote
from uptake.programme.governance.vote import NotAMember, ReasonMissing, cast_vote, own_choice, write_comment
from uptake.programme.governance.words import held_back_sentence, result_sentence
from uptake.programme.in_force import parsed
from uptake.programme.rulebook_reading import read_rulebook
from uptake.programme.thresholds import thresholds_of
from uptake.web.catalogue import labels_of
from uptake.web.clock_words import OtherHours, other_hours
from uptake.web.pages.building.exploits import tricks_of
from uptake.web.pages.committee.figures import passed_words, tested
from uptake.web.streaks import streak_warnings
from uptake.web.viewing import login_required, viewer_for

A_PAGE = 25
TONES = {"open": "info", "accepted": "good", "published": "good", "refused": "warn", "lapsed": "", "withdrawn": ""}
SEALS = {
    "rulebook": lambda: _("The rulebook is not the one that was sealed."),
    "report": lambda: _("The back-test is not the one that was sealed."),
    "exploits": lambda: _("The search for exploits is not the one that was put to the vote."),
    "terms": lambda: _("The terms of the vote are not those that were sealed."),
    "log": lambda: _("The audit log tells another seal."),
}


@dataclass(frozen=True)
class Listed:
    """A proposal as lists show it."""

    proposal: Proposal
    state: str
    label: str
    tone: str
    words: str


@dataclass(frozen=True)
class Seat:
    """A member with what may be known of their vote."""

    person: Person
    department: str
    choice: str
    label: str
    reason: str
    you: bool


@dataclass(frozen=True)
class Step:
    name: str
    words: str
    state: str
    """ok, now or empty."""


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """All proposals the viewer may see, the open ones first; `?at=` keeps to one place."""
    viewer = viewer_for(request)
    now = timezone.now()
    rows = Proposal.objects.visible_to(viewer).select_related("organization", "version", "base")
    if request.GET.get("at"):
        rows = rows.filter(organization__slug=request.GET["at"])
    first = Case(When(state=ProposalState.OPEN, then=Value(0)), default=Value(1), output_field=IntegerField())
    page = Paginator(rows.defer("file", "report").order_by(first, "-opened_at", "-pk"), A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "rows": [listed(one, now) for one in page],
        "may_propose": viewer.may(Deed.MANAGE_RULES),
        "may_configure": viewer.may(Deed.GIVE_ROLES),
    }
    return render(request, "committee/home.html", context)


@login_required
def proposal(request: HttpRequest, proposal_id: int) -> HttpResponseBase:
    """One proposal; a POST votes, comments, takes back or publishes."""
    viewer = viewer_for(request)
    rows = Proposal.objects.visible_to(viewer).select_related("organization", "version", "base", "proposer")
    found = get_object_or_404(rows, pk=proposal_id)
    problem = ""
    if request.method == "POST":
        problem = _do(request, found, viewer)
        if not problem:
            return redirect("committee:proposal", proposal_id=found.pk)
    with timezone.override(settings_at(found.organization).at(timezone.now()).zone):
        context = _context(found, viewer, timezone.now()) | {"problem": problem, "typed": request.POST}
        return render(request, "committee/proposal.html", context, status=422 if problem else 200)


def listed(one: Proposal, now: datetime) -> Listed:
    state = standing_of(one, now).state
    return Listed(one, state, str(ProposalState(state).label), TONES[state], result_sentence(one, now))


def _do(request: HttpRequest, found: Proposal, viewer: Viewer) -> str:
    """Does what the form asks for; gives what is wrong, in words."""
    now = timezone.now()
    try:
        if "vote" in request.POST:
            choice = request.POST.get("vote", "")
            if choice not in Choice.values:
                return _("Choose for, against or abstain.")
            cast_vote(proposal=found, choice=Choice(choice), reason=request.POST.get("reason", ""), by=viewer, now=now)
            messages.success(request, _("Your vote is in. You can change it until the vote is over."))
        elif "comment" in request.POST:
            write_comment(proposal=found, text=request.POST.get("text", ""), by=viewer, now=now)
        elif "withdraw" in request.POST:
            withdraw_proposal(proposal=found, by=viewer, now=now)
            messages.success(request, _("The proposal is taken back; its draft can be worked on again."))
        elif "publish" in request.POST:
            done = publish_accepted(proposal=found, by=viewer, now=now)
            if done.held_back:
                return held_back_sentence(done.held_back)
    except ReasonMissing:
        return _("Say why you vote against, in at most 1,000 characters; everybody can read it.")
    except WhyMissing:
        return _("Write something, in at most 4,000 characters.")
    except NotAMember:
        return _("Only those vote who were on the committee when the vote began and still are.")
    except NotOpen:
        return _("The vote is over.")
    except NotAccepted:
        return _("Only what was accepted is published.")
    except NotAllowed:
        return _("You may not do this here.")
    return ""


def _context(found: Proposal, viewer: Viewer, now: datetime) -> dict[str, Any]:
    place = found.organization
    standing = standing_of(found, now)
    is_open = standing.state == ProposalState.OPEN
    today = settings_at(place).date_of(now)
    told = found.told
    test = tested(told, viewer.person_id)
    elector = Elector.objects.filter(proposal=found, person_id=viewer.person_id or 0).first()
    may_vote = is_open and elector is not None and is_member(viewer, place)
    choice, reason = own_choice(found, viewer.person_id) if elector and viewer.person_id else ("", "")
    seen = not found.secret or not is_open
    draft = Draft.objects.filter(pk=found.draft).only("sha256").first() if found.draft else None
    inside = viewer.may(Deed.MANAGE_RULES, place) or elector is not None
    searched = exploits_put_to_vote(found)
    return {
        "proposal": found,
        "listed": listed(found, now),
        "standing": standing,
        "is_open": is_open,
        "emergency": found.kind == ProposalKind.EMERGENCY,
        "lowered_too": _lowered_too(found),
        "steps": _steps(found, standing, now),
        "changes": _changes(found, today),
        "streaks": streak_warnings(read_rulebook(found.file), today) if is_open else [],
        "earnable": _earnable(found, today) if is_open else None,
        "test": test,
        "thresholds": thresholds_of(read_rulebook(found.file), today) if test and inside else (),
        "inside": inside,
        "test_words": passed_words(test) if test else "",
        "seats": _seats(found, viewer, today) if viewer.may(Deed.MANAGE_RULES, place) or elector else [],
        "may_vote": may_vote,
        "choices": list(zip(Choice.values, ("thumb-up", "thumb-down", "minus"), Choice.labels, strict=True)),
        "choice": choice,
        "reason": reason,
        "marks": _marks(standing, found.members, seen),
        "seen": seen,
        "needed": needed(standing.votes, members=found.members, majority=found.majority),
        "left": found.closes_at - now if is_open else None,
        "comments": _comments(found, today),
        "may_comment": is_open and viewer.person_id is not None,
        "may_withdraw": is_open and found.kind == ProposalKind.CHANGE and viewer.person_id is not None
        and viewer.person_id == found.proposer_id,
        "may_publish": found.state == ProposalState.ACCEPTED and found.kind == ProposalKind.CHANGE
        and found.held_back != RULES_MOVED_ON and viewer.may(Deed.MANAGE_RULES, place),
        "held_back": held_back_sentence(found.held_back),
        "other": _other_hours(found, standing, now),
        "exploits": searched if inside else None,
        "tricks": tricks_of(searched) if searched and inside else [],
        "broken": [SEALS[code]() for code in broken_seals(found)],
        "draft_moved": draft is not None and draft.sha256 != found.sha256,
    }  # fmt: skip


def _other_hours(found: Proposal, standing: Standing, now: datetime) -> OtherHours | None:
    """The clock that an open or accepted proposal brings."""
    if found.kind == ProposalKind.EMERGENCY or standing.state not in (ProposalState.OPEN, ProposalState.ACCEPTED):
        return None
    begins = earliest(found.organization, max(found.closes_at, now), found.notice_days)
    return other_hours(read_rulebook(found.file), found.organization, begins)


def _lowered_too(found: Proposal) -> list[str]:
    """The dates of rulebooks for later that were lowered together with the rule."""
    from uptake.web import numbers

    if found.kind != ProposalKind.EMERGENCY:
        return []
    return [numbers.day(too.now.in_force_date) for too in lowered_too(found)]


def _earnable(found: Proposal, today: date) -> Earnable | None:
    """Whom the rules put to the vote could reach; not asked where one is lowered at once."""
    if found.kind == ProposalKind.EMERGENCY:
        return None
    return earnable(as_of(read_rulebook(found.file), today), found.organization, today)


def _changes(found: Proposal, today: date) -> Changes:
    after = read_rulebook(found.file)
    before = parsed(found.base.pk, found.base.sha256) if found.base else None
    labels = labels_of(events_of(before, after))
    first = found.version.in_force_date if found.version and found.kind == ProposalKind.CHANGE else today
    # Versions of rules that begin later than the rulebook are what is proposed, too.
    days = {first, *(rule.from_date for rule in after.rules if rule.from_date > first)}
    found_changes = [changes_of(before, after, one, labels) for one in sorted(days)]
    return max(found_changes, key=lambda one: len(one.rules))


def _steps(found: Proposal, standing: Standing, now: datetime) -> Sequence[Step]:
    from uptake.web import numbers

    emergency = found.kind == ProposalKind.EMERGENCY
    who = found.proposer.name if found.proposer else ""
    opened, closes = (numbers.moment(one, year=False) for one in (found.opened_at, found.closes_at))
    over = standing.state != ProposalState.OPEN
    if found.version is not None:
        day, last = numbers.day(found.version.in_force_date), "ok"
    elif standing.state in (ProposalState.OPEN, ProposalState.ACCEPTED) and not emergency:
        at = max(found.closes_at, now)
        day = _("from %(day)s at the earliest") % {
            "day": numbers.day(earliest(found.organization, at, found.notice_days), year=False)
        }
        last = ""
    elif emergency and standing.state == ProposalState.OPEN:
        day, last = _("lowered, unless the vote undoes it"), "ok"
    else:
        day, last = _("as before") if standing.state != ProposalState.ACCEPTED else _("stays lowered"), ""
    first = Step(_("Lowered at once") if emergency else _("Proposed"), f"{who} · {opened}" if who else opened, "ok")
    test = [] if emergency else [Step(_("Back-test"), _("sealed") if found.report else "–", "ok")]
    return [
        first,
        *test,
        Step(_("Vote"), _("until %(moment)s") % {"moment": closes}, "ok" if over else "now"),
        Step(_("Result"), str(ProposalState(standing.state).label) if over else "–", "ok" if over else ""),
        Step(_("In force"), day, last),
    ]


def _seats(found: Proposal, viewer: Viewer, today: date) -> list[Seat]:
    people = [one.person for one in Elector.objects.filter(proposal=found).select_related("person").order_by("pk")]
    votes = {one.person_id: one for one in Vote.objects.filter(proposal=found)}
    departments = _departments([one.pk for one in people], today)
    seats = []
    for person in people:
        vote = votes.get(person.pk)
        seats.append(
            Seat(
                person,
                departments.get(person.pk, ""),
                vote.choice if vote else "",
                str(Choice(vote.choice).label) if vote else "",
                vote.reason if vote else "",
                person.pk == viewer.person_id,
            )
        )
    return seats


def _departments(people: Sequence[int], today: date) -> dict[int, str]:
    spans = {pk: membership_on(pk, today) for pk in people}
    names = dict(
        Organization.objects.filter(pk__in=[one.organization_id for one in spans.values() if one]).values_list(
            "pk", "name"
        )
    )
    return {pk: names.get(one.organization_id, "") for pk, one in spans.items() if one}


def _marks(standing: Standing, members: int, seen: bool) -> list[str]:
    """One mark a member: y, x, a, v (voted, not said how) or empty."""
    votes = standing.votes
    if not seen:
        given = ["v"] * standing.voted
    else:
        given = ["y"] * votes.yes + ["x"] * votes.no + ["a"] * votes.abstain
    return given + [""] * max(0, members - len(given))


def _comments(found: Proposal, today: date) -> list[dict[str, Any]]:
    rows = list(Comment.objects.filter(proposal=found).select_related("person").order_by("-pk")[:200])
    departments = _departments([one.person_id for one in rows if one.person_id], today)
    return [{"comment": one, "department": departments.get(one.person_id or 0, "")} for one in rows]
