"""Registers what is going to begin, and locks it before it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from uptake.basics.canonical import fingerprint
from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.events.models import EventType
from uptake.insight.impact.business_series import series_for
from uptake.insight.impact.draw_lots import Draw, Drawn, drawn_by
from uptake.insight.impact.metrics import OF_PEOPLE, Measure, Metric, metric_of
from uptake.insight.impact.models import MANAGING, Chosen, DrawnPerson, Intervention, What, departments_of
from uptake.insight.impact.refusals import (
    AlreadyLocked,
    CannotAnswer,
    NoStart,
    NoTitle,
    NotOfPeople,
    TooLate,
    TooMany,
    UnknownEvent,
    WrongDates,
    WrongLook,
    WrongMeasure,
    WrongPlace,
    WrongSize,
)
from uptake.statistics.plan import Direction
from uptake.statistics.plan import Kind as MetricKind

if TYPE_CHECKING:
    from uptake.insight.impact.answerable import Answerable

LONGEST = timedelta(days=732)
ALPHA = "0.05"
MOST_OTHERS = 12
MOST_PRIMARY = 4
MOST_LOOKS = 6
LARGEST = 1_000_000

Wanted = tuple[Metric, float, Direction]
"""What is measured, the smallest change of it that matters in its unit, and which way is good."""


@transaction.atomic
def register_intervention(
    *,
    organization: Organization,
    title: str,
    kind: What,
    chosen: Chosen,
    starts: Mapping[str, date | None],
    event: str,
    smallest: float,
    until: date,
    by: Viewer,
    now: datetime,
    guardrail: str = "",
    margin: float = 0.0,
    others: Sequence[tuple[Metric, float]] = (),
    further: Sequence[Wanted] = (),
    rails: Sequence[Wanted] = (),
    outcome: Wanted | None = None,
    looks: Sequence[date] = (),
    unaffected: str = "",
    draw: Draw | None = None,
) -> Intervention:
    """A draft: departments (by slug) with the date each begins, None where it waits; the primary metric and M.

    draw: who begins is drawn by lot here and now, among these departments or their people; the dates are not used.

    event: whose share of people is the metric; empty: any that counts as activity. smallest and margin: shares.
    guardrail: an event whose share may not rise by more than `margin`. others: what is looked at beside, each with the
    smallest change that matters in its unit (a share for shares). further: more primary metrics; all pay for their
    number by Holm. rails: more that may not become worse by more than the size. outcome: the work behind the behaviour.
    looks: days on which it is read before the end. unaffected: an event that is not paid for, whose share of people the
    primary metric is held against where everybody begins on one day. Raises NotAllowed or a refusal.
    """
    _allowed(organization, by)
    name = title.strip()
    if not 0 < len(name) <= 200:
        raise NoTitle
    if not starts or (draw is None and not any(starts.values())):
        raise NoStart
    places = Organization.objects.filter(slug__in=list(starts), kind=Kind.DEPARTMENT).below(organization).open()
    if places.count() != len(starts):
        raise WrongPlace
    drawn: Drawn | None = None
    if draw is not None:
        drawn = drawn_by(draw, list(places.order_by("pk")), settings_at(organization).date_of(now))
        starts, chosen = drawn.starts, Chosen.RANDOM
    days = [day for day in starts.values() if day is not None]
    if not max(days) < until <= min(days) + LONGEST:
        raise WrongDates
    if not 0 < smallest <= 1 or (guardrail and not 0 < margin <= 1):
        raise WrongSize
    if len(others) > MOST_OTHERS or len(further) + 1 > MOST_PRIMARY or len(looks) > MOST_LOOKS:
        raise TooMany
    if any(not min(days) <= look < until for look in looks):
        raise WrongLook
    wanted = [*further, *rails, *([outcome] if outcome else [])]
    if any(metric == Metric(event) for metric, _size, _good in further) or len({one[0] for one in further}) < len(
        further
    ):
        raise WrongMeasure
    if unaffected and unaffected == event:
        raise WrongMeasure
    if drawn is not None and drawn.begins is not None:
        measured = [*others, *(one[:2] for one in wanted)]
        if unaffected or any(metric.measure not in OF_PEOPLE for metric, _size in measured):
            raise NotOfPeople
    for metric, size in [*others, *((metric, size) for metric, size, _good in wanted)]:
        if not metric.sensible:
            raise WrongMeasure
        if not 0 < size <= (1 if metric.kind is MetricKind.RATE else LARGEST):
            raise WrongSize
    named = [
        event,
        guardrail,
        unaffected,
        *(name for metric in [*(one[0] for one in others), *(one[0] for one in wanted)] for name in metric.events),
    ]
    for one in filter(None, dict.fromkeys(named)):
        if not EventType.objects.filter(name=one).exists():
            raise UnknownEvent
    for metric in [*(one[0] for one in others), *(one[0] for one in wanted)]:
        if metric.measure is Measure.SERIES and series_for(organization, metric.of) is None:
            raise UnknownEvent
    made = Intervention.objects.create(
        organization=organization,
        title=name,
        kind=kind,
        chosen=chosen,
        starts={slug: day.isoformat() if day else None for slug, day in sorted(starts.items())},
        plan={
            "metrics": [{"event": event, "smallest": _written(smallest)}, *(_wanted(*one) for one in further)],
            "guardrails": [
                *([{"event": guardrail, "margin": _written(margin)}] if guardrail else []),
                *(_wanted(*one, size_is="margin") for one in rails),
            ],
            "until": until.isoformat(),
            "looks": [look.isoformat() for look in sorted(set(looks))],
            "alpha": ALPHA,
            **(
                {"others": [{**metric.facts(), "smallest": _written(size)} for metric, size in others]}
                if others
                else {}
            ),
            **({"outcome": _wanted(*outcome)} if outcome else {}),
            **({"unaffected": Metric(unaffected).facts()} if unaffected else {}),
            **({"lot": drawn.lot.facts()} if drawn is not None else {}),
        },
        made_at=now,
        made_by_id=by.user_id,
    )
    details: dict[str, Any] = {"id": made.pk}
    if drawn is not None:
        begins = drawn.begins or {}
        DrawnPerson.objects.bulk_create(
            [
                DrawnPerson(
                    intervention=made, person_id=one.person, department_id=one.department, begins=begins[one.person]
                )
                for one in drawn.members
            ],
            batch_size=1000,
        )
        details |= {"seed": drawn.lot.seed, "drawn": drawn.lot.sha}
    note(deed="impact.registered", actor=by, organization=organization, subject=name, details=details, now=now)
    return made


@transaction.atomic
def lock(*, intervention: Intervention, by: Viewer, now: datetime) -> Intervention:
    """Fixes it by its hash, before the first start. Raises TooLate, CannotAnswer, AlreadyLocked or NotAllowed."""
    found = Intervention.objects.select_for_update().select_related("organization").get(pk=intervention.pk)
    _allowed(found.organization, by)
    if found.locked_at is not None:
        raise AlreadyLocked
    if settings_at(found.organization).date_of(now) >= found.first_start:
        raise TooLate
    answer = answer_for(found, now=now)
    if answer.state == "no":
        raise CannotAnswer(answer)
    found.gate, found.hash, found.locked_at = answer.facts(), hash_of(found), now
    found.save(update_fields=["gate", "hash", "locked_at"])
    details = {"id": found.pk, "hash": found.hash}
    note(deed="impact.locked", actor=by, organization=found.organization, subject=found.title, details=details, now=now)
    return found


def answer_for(intervention: Intervention, *, now: datetime) -> Answerable:
    """Whether this rollout could answer its question, by the history known `now`."""
    # Its libraries are loaded where they are needed.
    from uptake.insight.impact.answerable import answerable, answerable_by_people
    from uptake.insight.impact.drawn_people import sides_of

    primary = intervention.plan["metrics"][0]
    if intervention.by_people:
        lot = intervention.plan["lot"]
        return answerable_by_people(
            sides_of(intervention),
            intervention.organization,
            departments_of(intervention.starts),
            metric=metric_of(primary),
            smallest=float(primary["smallest"]),
            begin_share=lot["begin"] / lot["of"],
            days=(intervention.until - intervention.first_start).days + 1,
            today=settings_at(intervention.organization).date_of(now),
        )
    return answerable(
        intervention.starts,
        metric=metric_of(primary),
        smallest=float(primary["smallest"]),
        until=intervention.until,
        today=settings_at(intervention.organization).date_of(now),
    )


def hash_of(intervention: Intervention) -> str:
    """The fingerprint of everything that was decided."""
    return fingerprint(decided(intervention))


def decided(intervention: Intervention) -> dict[str, Any]:
    return {
        "organization": intervention.organization.slug,
        "title": intervention.title,
        "kind": intervention.kind,
        "chosen": intervention.chosen,
        "starts": intervention.starts,
        "plan": intervention.plan,
        "registered": intervention.made_at,
    }


def _wanted(metric: Metric, size: float, good: Direction, size_is: str = "smallest") -> dict[str, Any]:
    return {**metric.facts(), size_is: _written(size), "direction": good.value}


def _written(share: float) -> str:
    """As text: what is hashed shall not depend on how a database keeps numbers."""
    return f"{share:.6f}".rstrip("0").rstrip(".")


def _allowed(organization: Organization, by: Viewer) -> None:
    if not any(by.may(deed, organization) for deed in MANAGING):
        raise NotAllowed
