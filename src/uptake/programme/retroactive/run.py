"""Plans a retroactive run, approves it by a second person, and posts it; or takes it back before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction

from uptake.basics.canonical import fingerprint
from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.record_own import OwnDeed, record_own
from uptake.ledger.grant import Grant, Taking, grant, take_back
from uptake.notify.tell import Telling, tell
from uptake.programme.backtest.read import belonging
from uptake.programme.lot_dates import last_date
from uptake.programme.models import RulebookVersion
from uptake.programme.retroactive.models import RetroactiveLine, RetroactiveRun, RunState
from uptake.programme.retroactive.reckon import Reckoned, reckon, reckon_back, rulebook_of
from uptake.programme.retroactive.refusals import (
    Moved,
    NothingDiffers,
    NotPosted,
    SelfDealing,
    TooEarly,
    TooMany,
    WhyMissing,
    WrongSpan,
    WrongState,
)

LONGEST_DAYS = 366
LONGEST_WHY = 4000
MOST_LINES = 50_000
APPEAL_DAYS = 7
"""For so many days those who would lose may appeal before anything is taken back."""
POSTED = "points.retroactive"
"""The name of the own event: what announces changes may listen to it."""


@transaction.atomic
def plan_run(
    *,
    company: Organization,
    version: RulebookVersion,
    since: date,
    until: date,
    why: str,
    by: Viewer,
    now: datetime,
    names: Sequence[str] = (),
) -> RetroactiveRun:
    """The dry run over the business dates [since, until): who would get how much for what; nothing is posted.

    Raises NotAllowed, WhyMissing, WrongSpan, NothingDiffers, TooMany, SelfDealing.
    """
    _check(company, version, by)
    today = settings_at(company).date_of(now)
    if not (timedelta(0) < until - since <= timedelta(days=LONGEST_DAYS) and until <= today):
        raise WrongSpan
    wanted = sorted({name.strip() for name in names if name.strip()})
    found = reckon(company=company, version=version, since=since, until=until, names=wanted)
    run = RetroactiveRun(
        organization=company, version=version, from_date=since, until_date=until, names=wanted, why=_said(why)
    )
    return _stored(run, found, by, now)


@transaction.atomic
def plan_correction(
    *, run: RetroactiveRun, version: RulebookVersion, why: str, by: Viewer, now: datetime
) -> RetroactiveRun:
    """What a posted run gave too much is taken back, by what the rulebook gives for its events now.

    Raises NotAllowed, NotPosted, WhyMissing, NothingDiffers, TooMany, SelfDealing.
    """
    run = _locked(run, by)
    _check(run.organization, version, by)
    if run.state != RunState.EXECUTED or run.corrects_id is not None:
        raise NotPosted
    found = reckon_back(run, version)
    made = RetroactiveRun(
        organization=run.organization,
        version=version,
        from_date=run.from_date,
        until_date=run.until_date,
        names=run.names,
        why=_said(why),
        corrects=run,
    )
    return _stored(made, found, by, now)


@transaction.atomic
def approve_run(*, run: RetroactiveRun, by: Viewer, now: datetime) -> RetroactiveRun:
    """A second person, who gains nothing by it, approves it as it was planned. Safe to repeat.

    Whoever would lose is told, and may appeal for some days. Raises NotAllowed, WrongState, SelfDealing.
    """
    found = _locked(run, by)
    if found.state == RunState.APPROVED and found.approved_by_id == by.user_id:
        return found
    if found.state != RunState.PLANNED:
        raise WrongState
    same_person = by.person_id is not None and by.person_id == found.asked_by_person_id
    if same_person or (by.user_id is not None and by.user_id == found.asked_by_id) or _gains(found, by):
        raise SelfDealing
    found.state, found.approved_at = RunState.APPROVED, now
    found.approved_by_id, found.approved_by_person_id = by.user_id, by.person_id
    if not found.gives:
        clock = settings_at(found.organization)
        found.not_before = clock.start_of(clock.date_of(now) + timedelta(days=APPEAL_DAYS + 1))
    found.save(update_fields=["state", "approved_at", "approved_by", "approved_by_person", "not_before"])
    _note("retroactive.approved", found, by, now)
    if not found.gives:
        _tell(found, "points.retroactive_taking", now)
    return found


@transaction.atomic
def withdraw_run(*, run: RetroactiveRun, by: Viewer, now: datetime) -> RetroactiveRun:
    """Nothing is posted. Safe to repeat. Raises NotAllowed, WrongState."""
    found = _locked(run, by)
    if found.state == RunState.WITHDRAWN:
        return found
    if found.state == RunState.EXECUTED:
        raise WrongState
    found.state = RunState.WITHDRAWN
    found.save(update_fields=["state"])
    _note("retroactive.withdrawn", found, by, now)
    return found


@transaction.atomic
def execute_run(*, run: RetroactiveRun, by: Viewer, now: datetime) -> RetroactiveRun:
    """Posts exactly what was approved, each line once by its key (run, event, version); again it does nothing.

    Given now, expiring as what is given today, on no board. Raises NotAllowed, WrongState, TooEarly, Moved.
    """
    found = _locked(run, by)
    if found.state == RunState.EXECUTED:
        return found
    if found.state != RunState.APPROVED:
        raise WrongState
    if found.not_before is not None and now < found.not_before:
        raise TooEarly
    if _hash(_reckoned(found)) != found.lines_sha256:
        raise Moved
    lines = list(found.lines.select_related("run").order_by("person_id", "date", "event_id"))
    if found.gives:
        grant(_grants(found, lines, now), now=now)
    else:
        take_back([_taking(found, line) for line in lines], now=now)
    found.state, found.executed_at = RunState.EXECUTED, now
    found.save(update_fields=["state", "executed_at"])
    _note("retroactive.posted", found, by, now)
    _tell(found, "points.retroactive" if found.gives else "points.retroactive_taken", now)
    deed = OwnDeed(found.organization_id, None, POSTED, found.cause, now, object=str(found.pk))
    record_own([deed], now=now)
    return found


def may_decide(run: RetroactiveRun, viewer: Viewer) -> bool:
    """Whether the viewer may approve: one who manages the rules there, did not ask, and gains nothing."""
    if not viewer.may(Deed.MANAGE_RULES, run.organization):
        return False
    same = viewer.user_id is not None and viewer.user_id == run.asked_by_id
    return (
        not same
        and (viewer.person_id is None or viewer.person_id != run.asked_by_person_id)
        and not _gains(run, viewer)
    )


def _check(company: Organization, version: RulebookVersion, by: Viewer) -> None:
    if not by.may(Deed.MANAGE_RULES, company) or company.kind != Kind.COMPANY:
        raise NotAllowed
    if not RulebookVersion.objects.applying_to(company).filter(pk=version.pk).exists():
        raise NotAllowed


def _stored(run: RetroactiveRun, found: Sequence[Reckoned], by: Viewer, now: datetime) -> RetroactiveRun:
    if not found:
        raise NothingDiffers
    if len(found) > MOST_LINES:
        raise TooMany
    people = {one.person for one in found}
    if run.gives and by.person_id in people:
        raise SelfDealing
    run.lines_sha256 = _hash(found)
    run.points, run.people = sum(one.points for one in found), len(people)
    run.asked_by_id, run.asked_by_person_id, run.asked_at = by.user_id, by.person_id, now
    run.save()
    who = belonging([run.organization_id], settings_at(run.organization).date_of(now), people)
    RetroactiveLine.objects.bulk_create(
        [
            RetroactiveLine(
                run=run,
                event_id=one.event,
                person_id=one.person,
                department_id=who[one.person].department or None,
                rule=one.rule,
                date=one.date,
                before=one.before,
                after=one.after,
                points=one.points,
            )
            for one in found
        ],
        batch_size=1000,
    )
    _note("retroactive.planned", run, by, now)
    return run


def _reckoned(run: RetroactiveRun) -> list[Reckoned]:
    if run.corrects is not None:
        return reckon_back(run.corrects, run.version)
    return reckon(
        company=run.organization, version=run.version, since=run.from_date, until=run.until_date, names=run.names
    )


def _hash(found: Sequence[Reckoned]) -> str:
    return fingerprint([[one.event, one.person, one.rule, one.points] for one in found])


def _grants(run: RetroactiveRun, lines: Sequence[RetroactiveLine], now: datetime) -> list[Grant]:
    rulebook = rulebook_of(run.version)
    rules = {rule.rule: rule for rule in rulebook.rules}
    clock = settings_at(run.organization)
    today = clock.date_of(now)
    found = []
    for line in lines:
        rule = rules.get(line.rule)
        expiry = (rule.expires if rule else None) or rulebook.programme.expires
        last = last_date(rulebook.programme, expiry, today)
        found.append(
            Grant(
                book=run.organization_id,
                key=f"{line.lot}/{run.version_id}",
                lot=line.lot,
                owner=str(line.person_id),
                points=line.points,
                cause=run.cause,
                happened_at=now,
                available_from=now,
                last_date=last,
                expires_at=clock.start_of(last + timedelta(days=1)) if last else None,
                inactive_days=expiry.inactive_days,
                source="uptake",
                event_key=line.lot,
                reason="retroactive",
                explanation=_explanation(run, line),
                effective_at=now,
            )
        )
    return found


def _taking(run: RetroactiveRun, line: RetroactiveLine) -> Taking:
    return Taking(
        book=run.organization_id,
        key=f"{line.lot}/{run.version_id}",
        lot=f"retroactive/{run.corrects_id}/{line.event_id}",
        points=line.points,
        cause=run.cause,
        reason="retroactive",
        explanation=_explanation(run, line),
    )


def _explanation(run: RetroactiveRun, line: RetroactiveLine) -> dict[str, object]:
    return {"run": run.pk, "event": line.event_id, "rule": line.rule, "version": run.version_id,
            "before": line.before, "after": line.after}  # fmt: skip


def _gains(run: RetroactiveRun, viewer: Viewer) -> bool:
    return run.gives and viewer.person_id is not None and run.lines.filter(person_id=viewer.person_id).exists()


def _locked(run: RetroactiveRun, by: Viewer) -> RetroactiveRun:
    rows = RetroactiveRun.objects.select_for_update(of=("self",), no_key=True)
    found = rows.select_related("organization", "version", "corrects__organization").get(pk=run.pk)
    if not by.may(Deed.MANAGE_RULES, found.organization):
        raise NotAllowed
    return found


def _said(text: str) -> str:
    found = text.strip()
    if not found or len(found) > LONGEST_WHY:
        raise WhyMissing
    return found


def _tell(run: RetroactiveRun, kind: str, now: datetime) -> None:
    sums: dict[int, int] = {}
    for person, points in run.lines.values_list("person_id", "points"):
        sums[person] = sums.get(person, 0) + points
    until = run.not_before.isoformat() if run.not_before else ""
    tell(
        [
            Telling(
                person_id=person,
                key=f"{kind}/{run.pk}",
                kind=kind,
                content={"run": run.pk, "points": points, "title": run.why[:200], "appeal_until": until},
            )
            for person, points in sorted(sums.items())
        ],
        now=now,
    )


def _note(deed: str, run: RetroactiveRun, by: Viewer, now: datetime) -> None:
    note(
        deed=deed,
        actor=by,
        organization=run.organization,
        subject=f"#{run.pk}",
        details={"run": run.pk, "points": run.points, "people": run.people, "version": run.version_id,
                 "from": run.from_date.isoformat(), "until": run.until_date.isoformat(), "lines": run.lines_sha256,
                 "corrects": run.corrects_id},
        now=now,
    )  # fmt: skip
