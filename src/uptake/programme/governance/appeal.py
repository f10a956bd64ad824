"""Questions what became of one's points, and answers such a question: an upheld appeal is an entry of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Min, Q, Sum

from uptake.directory.audit import note
from uptake.directory.models import Organization, Person
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.record_own import OwnDeed, record_own
from uptake.ledger.balances import entries_by_key
from uptake.ledger.grant import Grant, grant
from uptake.notify.tell import Telling, tell
from uptake.programme.governance.committee import members_of, terms_of
from uptake.programme.governance.models import About, Appeal, AppealState
from uptake.programme.hold_levels import level_may_change
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.lot_dates import last_date
from uptake.programme.lower_standing import restore_standing
from uptake.programme.merit import Gain, note_merit
from uptake.programme.models import Award, StandingChange

LONGEST_TEXT = 4000
MOST_POINTS = 100_000
COUNTED = "counted"
"""The kind of a line that moved no points: what was earned by pretence counts no more."""


class TextMissing(Exception):
    """An appeal says what is wrong, and a decision why, in at most 4,000 characters."""


class AlreadyOpen(Exception):
    """The same line is being questioned."""


class NoSuchLine(Exception):
    """The line is not one of the person's own."""


class SelfDealing(Exception):
    """Whose points it is about, or who took the decision, does not decide."""


class AlreadyDecided(Exception):
    """An appeal is decided once."""


class WrongPoints(Exception):
    """An upheld appeal gives 0 to 100,000 points, a refused one none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """A line that is not an award: one entry of the person's ledger, and who took the decision behind it."""

    company: Organization
    key: str
    about: About = About.OTHER
    title: str = ""
    parties: Iterable[int] = field(default=())


@transaction.atomic
def file_appeal(*, line: Award | EntryLine, text: str, by: Viewer, now: datetime) -> Appeal:
    """One's own line is questioned; somebody of the committee who is not oneself is asked to answer in time.

    Raises NotAllowed, NoSuchLine, TextMissing, AlreadyOpen.
    """
    if by.person_id is None:
        raise NotAllowed
    if isinstance(line, Award):
        if line.person_id != by.person_id:
            raise NoSuchLine
        company, about, key, parties = line.company, About.AWARD, "", []
        told = {"rule": line.rule, "version": line.version, "points": line.points, "reasons": list(line.reasons),
                "at": line.happened_at.isoformat()}  # fmt: skip
    else:
        company, about, key, parties = line.company, line.about, line.key, sorted(set(line.parties))
        told = _told_of(line, by.person_id)
    today = settings_at(company).date_of(now)
    due = settings_at(company).start_of(today + timedelta(days=terms_of(company).appeal_days + 1))
    appeal = Appeal(
        company=company,
        person_id=by.person_id,
        about=about,
        award=line if isinstance(line, Award) else None,
        entry_key=key,
        told=told,
        parties=parties,
        text=_said(text),
        filed_at=now,
        due_at=due,
    )
    appeal.assigned = _next_member(appeal, now)
    try:
        with transaction.atomic():
            appeal.save(force_insert=True)
    except IntegrityError as problem:
        raise AlreadyOpen from problem
    _note("appeal.filed", appeal, by, now)
    record_own([OwnDeed(company.pk, by.person_id, "appeal.filed", appeal.cause, now)], now=now)
    if appeal.assigned_id is not None:
        _tell(appeal, appeal.assigned_id, "appeal.assigned", now)
    return appeal


@transaction.atomic
def take_appeal(*, appeal: Appeal, by: Viewer, now: datetime) -> Appeal:
    """The viewer answers it instead of whom it was given to. Raises NotAllowed, SelfDealing, AlreadyDecided."""
    found = _locked(appeal, by)
    found.assigned_id = by.person_id
    found.save(update_fields=["assigned"])
    _note("appeal.taken", found, by, now)
    return found


@transaction.atomic
def decide_appeal(*, appeal: Appeal, upheld: bool, answer: str, points: int = 0, by: Viewer, now: datetime) -> Appeal:
    """Upholds or refuses it with a reason. What is given is a grant of its own, caused by the appeal.

    Raises NotAllowed, SelfDealing, AlreadyDecided, TextMissing, WrongPoints.
    """
    found = _locked(appeal, by)
    if not 0 <= points <= MOST_POINTS or (points and not upheld):
        raise WrongPoints
    found.state = AppealState.UPHELD if upheld else AppealState.REFUSED
    found.answer, found.points = _said(answer), points
    found.decided_by_id, found.decided_by_login_id, found.decided_at = by.person_id, by.user_id, now
    found.save(update_fields=["state", "answer", "points", "decided_by", "decided_by_login", "decided_at"])
    if points:
        given = _grant(found, points, now)
        grant([given], now=now)
        _qualify(found, given, now)
    if upheld and (about := decision_of(found.entry_key)):
        restore_standing(
            person=found.person_id, company=found.company_id, about=about, cause=found.cause, given=points, now=now
        )
    _note("appeal.decided", found, by, now, state=found.state, points=points)
    _tell(found, found.person_id, "appeal.decided", now)
    return found


@transaction.atomic
def withdraw_appeal(*, appeal: Appeal, by: Viewer, now: datetime) -> Appeal:
    """By whom it is from. Raises NotAllowed, AlreadyDecided."""
    found = Appeal.objects.select_for_update(of=("self",)).select_related("company").get(pk=appeal.pk)
    if by.person_id is None or found.person_id != by.person_id:
        raise NotAllowed
    if found.state != AppealState.OPEN:
        raise AlreadyDecided
    found.state, found.decided_at = AppealState.WITHDRAWN, now
    found.save(update_fields=["state", "decided_at"])
    _note("appeal.withdrawn", found, by, now)
    return found


def may_decide(appeal: Appeal, viewer: Viewer) -> bool:
    """Whether the viewer may answer: one who manages rules there, and neither gains by it nor decided before."""
    return (
        viewer.may(Deed.MANAGE_RULES, appeal.company)
        and viewer.person_id is not None
        and viewer.person_id != appeal.person_id
        and viewer.person_id not in appeal.parties
    )


def _locked(appeal: Appeal, by: Viewer) -> Appeal:
    found = Appeal.objects.select_for_update(of=("self",)).select_related("company", "award").get(pk=appeal.pk)
    if not by.may(Deed.MANAGE_RULES, found.company) or by.person_id is None:
        raise NotAllowed
    if not may_decide(found, by):
        raise SelfDealing
    if found.state != AppealState.OPEN:
        raise AlreadyDecided
    return found


def decision_of(key: str) -> str:
    """The decision about points earned by pretence that a line follows from; empty: it follows from none."""
    about, _slash, line = key.rpartition("/")
    return about if about.startswith("gaming/") and line == "forfeit" else ""


def taken_by(company: Organization, person: int, about: str) -> tuple[int, datetime] | None:
    """(points that count no more, when) by a decision that took nothing that could still be spent."""
    rows = StandingChange.objects.filter(company=company, person_id=person, about=about, falls=True)
    sums = rows.aggregate(points=Sum("points"), at=Min("at"))
    return None if sums["at"] is None else (-sums["points"], sums["at"])


def _told_of(line: EntryLine, person: int) -> dict[str, Any]:
    found = entries_by_key(book=line.company.pk, keys=[line.key]).get(line.key)
    if found is None:
        counted = taken_by(line.company, person, decision_of(line.key))
        if counted is None:
            raise NoSuchLine
        return {"title": line.title[:200], "kind": COUNTED, "points": counted[0], "at": counted[1].isoformat()}
    owners = {part.source for part in found.parts} | {part.target for part in found.parts}
    if not any(code.startswith(f"person/{person}/") for code in owners):
        raise NoSuchLine
    return {"title": line.title[:200], "kind": found.kind, "points": found.points, "at": found.posted_at.isoformat()}


def _next_member(appeal: Appeal, now: datetime) -> Person | None:
    """The member with the fewest open appeals who may decide; None: whoever manages rules above takes it."""
    day = settings_at(appeal.company).date_of(now)
    barred = {appeal.person_id, *appeal.parties}
    members = [one for one in members_of(appeal.company, day) if one.pk not in barred]
    if not members:
        return None
    rows = Appeal.objects.filter(state=AppealState.OPEN, assigned__in=members).values_list("assigned")
    load = dict(rows.annotate(n=Count("pk", filter=Q(company=appeal.company))))
    return min(members, key=lambda one: (load.get(one.pk, 0), one.pk))


def _grant(appeal: Appeal, points: int, now: datetime) -> Grant:
    """Posted now, and counted when what was questioned happened; expires as what is given today."""
    at = appeal.award.happened_at if appeal.award else appeal.filed_at
    clock = settings_at(appeal.company)
    today = clock.date_of(now)
    version = rulebook_version_on(appeal.company, today)
    programme = parsed(version.pk, version.sha256).programme if version else None
    last = last_date(programme, programme.expires, today) if programme else None
    return Grant(
        book=appeal.company_id,
        key=f"{appeal.cause}/grant",
        lot=appeal.cause,
        owner=str(appeal.person_id),
        points=points,
        cause=appeal.cause,
        happened_at=at,
        available_from=now,
        last_date=last,
        expires_at=clock.start_of(last + timedelta(days=1)) if last else None,
        inactive_days=programme.expires.inactive_days if programme else None,
        source="uptake",
        event_key=appeal.cause,
        reason="appeal/upheld",
        explanation={
            "appeal": appeal.pk,
            "award": appeal.award_id,
            "entry": appeal.entry_key,
            "decided_by": appeal.decided_by_id,
        },
    )


def _qualify(appeal: Appeal, given: Grant, now: datetime) -> None:
    """It counts for levels and boards on the date of what was questioned, as if it had been given then."""
    day = settings_at(appeal.company).date_of(given.happened_at)
    note_merit([Gain(appeal.company_id, appeal.person_id, day, given.points, given.happened_at)], now=now)
    level_may_change(person=appeal.person_id, company=appeal.company_id, now=now)


def _said(text: str) -> str:
    found = text.strip()
    if not found or len(found) > LONGEST_TEXT:
        raise TextMissing
    return found


def _tell(appeal: Appeal, person: int, kind: str, now: datetime) -> None:
    content: Mapping[str, Any] = {
        "appeal": appeal.pk,
        "state": str(appeal.state),
        "given": appeal.points,
        "due_at": appeal.due_at.isoformat(),
    }
    tell([Telling(person_id=person, key=f"{kind}/{appeal.pk}", kind=kind, content=content)], now=now)


def _note(deed: str, appeal: Appeal, by: Viewer, now: datetime, **more: object) -> None:
    note(
        deed=deed,
        actor=by,
        organization=appeal.company,
        subject=f"#{appeal.pk}",
        details={"appeal": appeal.pk, "person": appeal.person_id, **more},
        now=now,
    )
