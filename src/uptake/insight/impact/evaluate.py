"""Evaluates a locked intervention by what was recorded, and keeps the answer."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import transaction

from uptake.basics.canonical import canonical_json
from uptake.directory.audit import note
from uptake.directory.place import settings_at
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.insight.gaming.record_of import flagged_days
from uptake.insight.impact.answers import survey_of
from uptake.insight.impact.drawn_people import drawn_panel, still_as_drawn
from uptake.insight.impact.lot import lot_of
from uptake.insight.impact.metrics import Metric, metric_of
from uptake.insight.impact.models import MANAGING, Chosen, Evaluation, Intervention
from uptake.insight.impact.panel_of_departments import HISTORY_DAYS, PersonDay, department_panel
from uptake.insight.impact.really_began import counted, said_of
from uptake.insight.impact.refusals import LotDiffers, NothingYet, NotLocked
from uptake.insight.impact.side_by_side import side_by_side
from uptake.statistics.evaluate import evaluate as evaluate_panel
from uptake.statistics.imputation import Imputation
from uptake.statistics.panel import WEEK, Panel
from uptake.statistics.plan import Assignment, Direction, Drawn, Incident, Plan
from uptake.statistics.result import Check, Grade, Light, Result, Verdict, rounded
from uptake.statistics.verdict import adjusted, guardrail, programme_verdict
from uptake.statistics.wording import Sentence, against, assumption_sentences, lasting_sentence, sentences

DRAWS = 199
"""Permutations of who begins when."""
FEWEST = 10
"""People of a group under whom nothing is told."""
WEEKS = (-8, 12)
"""The weeks around the start that are drawn."""


def evaluate(*, intervention: Intervention, by: Viewer | None, now: datetime) -> Evaluation:
    """What the data say up to yesterday, or up to the registered end; before the end it is interim.

    The same data give the same bytes, and are kept once. `by` None: a job. Raises NotLocked, NothingYet, NotAllowed.
    """
    place = intervention.organization
    if by is not None and not any(by.may(deed, place) for deed in MANAGING):
        raise NotAllowed
    if intervention.locked_at is None:
        raise NotLocked
    today = settings_at(place).date_of(now)
    last = min(intervention.until, today - timedelta(days=1))
    if last < intervention.first_start:
        raise NothingYet
    text = canonical_json(answer(intervention, last=last))
    told = _first(text)
    sha = hashlib.sha256(text).hexdigest()
    with transaction.atomic():
        made, new = Evaluation.objects.get_or_create(
            intervention=intervention,
            sha=sha,
            defaults={"text": text.decode(), "verdict": told[0], "grade": told[1], "made_at": now},
        )
        if new:
            note(
                deed="impact.evaluated",
                actor=by or "job impact",
                organization=place,
                subject=intervention.title,
                details={"id": intervention.pk, "sha": sha, "verdict": made.verdict},
                now=now,
            )
    return made


def evaluate_due(*, now: datetime) -> int:
    """Evaluates what has reached its registered end or a day agreed for a reading, and was not read since."""
    done = 0
    for one in Intervention.objects.filter(locked_at__isnull=False).select_related("organization").order_by("pk"):
        today = settings_at(one.organization).date_of(now)
        over = today > one.until and not one.evaluations.exclude(verdict="interim").exists()
        if over or (today <= one.until and _look_due(one, today)):
            with suppress(NothingYet):
                evaluate(intervention=one, by=None, now=now)
                done += 1
    return done


def _look_due(intervention: Intervention, today: date) -> bool:
    """Whether a day agreed for a reading is over and nothing was read since."""
    over = [date.fromisoformat(look) for look in intervention.plan["looks"] if date.fromisoformat(look) < today]
    if not over:
        return False
    since = settings_at(intervention.organization).start_of(max(over) + timedelta(days=1))
    return not intervention.evaluations.filter(made_at__gte=since).exists()


def answer(intervention: Intervention, *, last: date) -> dict[str, Any]:
    """What is kept: the metrics with their pictures, the guardrails, and the words as patterns with fields."""
    first = intervention.first_start - timedelta(days=HISTORY_DAYS)
    beside = _incidents(intervention)
    if lot_of(intervention.plan) is not None and not still_as_drawn(intervention):
        raise LotDiffers
    metrics, guardrails, since = [], [], list[str]()
    asked: list[tuple[Panel, Plan, Metric, Result]] = []
    for one in intervention.plan["metrics"]:
        metric = metric_of(one)
        panel = _panel(intervention, metric, first=first, last=last)
        if panel is None:
            raise NothingYet
        since.append(panel.days[0].astype("datetime64[D]").astype(object).isoformat())
        plan = _plan(intervention, metric, float(one["smallest"]), beside, last, direction=good_of(one))
        unpaid = _unaffected(intervention, panel, first=first, last=last)
        result = evaluate_panel(panel, plan, unaffected=unpaid, read_on=last, draws=DRAWS)
        asked.append((panel, plan, metric, result))
    paid, adjusted_p = _paid([one[3] for one in asked], float(intervention.plan["alpha"]))
    for (panel, plan, metric, _result), result, raised in zip(asked, paid, adjusted_p, strict=True):
        metrics.append(_said(panel, plan, metric, result) | ({} if raised is None else {"adjusted": rounded(raised)}))
    for one in intervention.plan["guardrails"]:
        metric, margin = metric_of(one), float(one["margin"])
        panel = _panel(intervention, metric, first=first, last=last)
        if panel is None:
            continue
        good = Direction(one.get("direction", Direction.LOWER))
        plan = _plan(intervention, metric, margin, beside, last, direction=good)
        result = evaluate_panel(panel, plan, read_on=last, draws=DRAWS)
        usable = result.estimate is not None and result.estimate.usable and not result.stops
        higher = good is Direction.HIGHER
        held = guardrail(result.estimate, margin, higher_is_better=higher) if usable and result.estimate else "open"
        guardrails.append({**metric.facts(), "margin": margin, "held": str(held), "result": _facts(result)})
    told: dict[str, Any] = {
        "registration": intervention.hash,
        "from": min(since),
        "to": last.isoformat(),
        "metrics": metrics,
        "guardrails": guardrails,
    }
    told |= _lot(intervention, metrics[0])
    really = counted(intervention, said_of(intervention))
    told |= {} if really is None else {"began": really.facts()}
    told |= _without_flagged(intervention, beside, metrics[0]["result"]["estimate"], first=first, last=last)
    told |= _programme(intervention, asked[0][0], paid[0], told.get("without_flagged"), beside, first=first, last=last)
    return told | _others(intervention, beside, first=first, last=last)


def _lot(intervention: Intervention, primary: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The drawing, done again and found the same; {} where nothing was drawn here."""
    lot = lot_of(intervention.plan)
    if lot is None:
        return {}
    return {"lot": {**lot.facts(), "unit": lot.unit.value, "compared": primary["result"]["n_units"]}}


def _unaffected(
    intervention: Intervention, beside: Panel, *, first: date, last: date, without: Collection[PersonDay] = ()
) -> Panel | None:
    """What is not paid for, in the same departments on the same days; None where none was registered or it does not
    fit a metric that is divided by something else than people."""
    registered = intervention.plan.get("unaffected")
    if not registered:
        return None
    panel = _panel(intervention, metric_of(registered), first=first, last=last, without=without)
    fits = panel is not None and panel.units == beside.units and np.array_equal(panel.days, beside.days)
    return panel if fits else None


def _programme(
    intervention: Intervention,
    acted: Panel,
    behaviour: Result,
    unflagged: dict[str, Any] | None,
    beside: tuple[Incident, ...],
    *,
    first: date,
    last: date,
) -> dict[str, Any]:
    """Behaviour x outcome x gaming: {"outcome": the work behind it, measured; "programme": what is said of the three}.

    The outcome is None where none was registered, its result None where nothing was recorded of it. Gaming is `undone`
    where a rise does not stand any more without the days under suspicion, `holds` where it does, else `none`. After the
    end both stand side by side, place by place. acted: the panel of the behaviour.
    """
    registered = intervention.plan.get("outcome")
    outcome, told, good_is_higher = None, None, True
    if registered:
        metric = metric_of(registered)
        good_is_higher = good_of(registered) is Direction.HIGHER
        told = {**metric.facts(), "direction": "higher" if good_is_higher else "lower", "result": None}
        panel = _panel(intervention, metric, first=first, last=last)
        if panel is not None and np.nansum(panel.numerator if panel.numerator is not None else panel.outcome):
            plan = _plan(intervention, metric, float(registered["smallest"]), beside, last)
            outcome = evaluate_panel(panel, plan, read_on=last, draws=DRAWS)
            told |= _said(panel, plan, metric, outcome) | {"weeks": []}
            over = last >= intervention.until
            told |= {"places": side_by_side(acted, panel) if over and not intervention.by_people else []}
    undone = unflagged is not None and behaviour.verdict is Verdict.INCREASE and unflagged["low"] <= 0
    found = programme_verdict(behaviour, outcome, gaming_stop=undone, outcome_good_is_higher=good_is_higher)
    said = {
        "overall": found.overall.value,
        "divergence": found.divergence,
        "behaviour": behaviour.verdict.value,
        "outcome": None if outcome is None else outcome.verdict.value,
        "gaming": "none" if unflagged is None else "undone" if undone else "holds",
        "sure": all(one.grade in (Grade.A, Grade.B) for one in (behaviour, outcome) if one is not None),
    }
    return {"outcome": told, "programme": said}


def _without_flagged(
    intervention: Intervention, beside: tuple[Incident, ...], plain: object, *, first: date, last: date
) -> dict[str, dict[str, Any]]:
    """The primary metric once more, without the days on which people's events look farmed; {} where that changes
    nothing of the `plain` estimate."""
    days = flagged_days(intervention.organization, first, last)
    one = intervention.plan["metrics"][0]
    metric = metric_of(one)
    panel = None
    if days:
        panel = _panel(intervention, metric, first=first, last=last, without=days)
    if panel is None:
        return {}
    unpaid = _unaffected(intervention, panel, first=first, last=last, without=days)
    plan = _plan(intervention, metric, float(one["smallest"]), beside, last)
    result = evaluate_panel(panel, plan, unaffected=unpaid, read_on=last, draws=DRAWS)
    estimate = _facts(result)["estimate"]
    if estimate is None or estimate["low"] is None or estimate == plain:
        return {}
    said = {name: estimate[name] for name in ("value", "low", "high")}
    return {"without_flagged": {"days": len(days), **said}}


def _others(
    intervention: Intervention, beside: tuple[Incident, ...], *, first: date, last: date
) -> dict[str, list[dict[str, Any]]]:
    """What was registered to be looked at beside the primary metric: each with its p-value raised for their number.

    A change that does not hold after that is not claimed. What nothing was recorded of says so.
    """
    registered = intervention.plan.get("others", ())
    found: list[dict[str, Any]] = []
    for one in registered:
        metric = metric_of(one)
        panel = _panel(intervention, metric, first=first, last=last)
        if panel is None or not np.nansum(panel.numerator if panel.numerator is not None else panel.outcome):
            found.append({**metric.facts(), "smallest": float(one["smallest"]), "result": None})
        else:
            plan = _plan(intervention, metric, float(one["smallest"]), beside, last)
            found.append(_told(panel, plan, last, metric) | {"weeks": []})
    tested = [one for one in found if one["result"] is not None and one["result"]["p"] is not None]
    for one, raised in zip(tested, adjusted([], [one["result"]["p"] for one in tested])[1], strict=True):
        one["adjusted"] = rounded(raised)
        one["holds"] = raised <= float(intervention.plan["alpha"])
    return {"others": found} if registered else {}


def _incidents(intervention: Intervention) -> tuple[Incident, ...]:
    """What else that was locked began in departments that take part, and when."""
    found = []
    for other in Intervention.objects.filter(locked_at__isnull=False).exclude(pk=intervention.pk).order_by("pk"):
        days: dict[str, list[str]] = {}
        for slug in sorted(intervention.starts.keys() & other.starts.keys()):
            if other.starts[slug]:
                days.setdefault(other.starts[slug], []).append(slug)
        found += [
            Incident(date.fromisoformat(day), other.title, units=tuple(slugs)) for day, slugs in sorted(days.items())
        ]
    return tuple(found)


def _plan(
    intervention: Intervention,
    metric: Metric,
    smallest: float,
    beside: tuple[Incident, ...],
    last: date,
    direction: Direction = Direction.HIGHER,
) -> Plan:
    lot = lot_of(intervention.plan)
    start = intervention.first_start
    first = start - timedelta(days=HISTORY_DAYS)
    return Plan(
        survey=survey_of(intervention.starts, metric, first=first, start=start, last=last),
        metric=metric.event or "active",
        kind=metric.kind,
        smallest=smallest,
        until=intervention.until,
        direction=direction,
        alpha=float(intervention.plan["alpha"]),
        assignment=Assignment(intervention.chosen),
        drawn=_drawn(intervention),
        shares=(lot.begin, lot.of - lot.begin) if lot is not None and intervention.by_people else (),
        # Among people drawn by lot, what began in whole departments touches both sides alike.
        incidents=tuple(replace(one, units=()) for one in beside) if intervention.by_people else beside,
    )


def _drawn(intervention: Intervention) -> Drawn | None:
    if intervention.by_people:
        return Drawn.PERSON
    return Drawn.DEPARTMENT if intervention.chosen == Chosen.RANDOM else None


def _panel(
    intervention: Intervention, metric: Metric, *, first: date, last: date, without: Collection[PersonDay] = ()
) -> Panel | None:
    """Of its departments, or of the people that were drawn."""
    if intervention.by_people:
        return drawn_panel(intervention, metric=metric, first=first, last=last, without=without)
    return department_panel(intervention.starts, metric=metric, first=first, last=last, without=without)


def good_of(told: Mapping[str, Any]) -> Direction:
    """Which way of a registered metric is good."""
    return Direction(told.get("direction", Direction.HIGHER))


def _paid(results: Sequence[Result], alpha: float) -> tuple[list[Result], list[float | None]]:
    """The results of the primary metrics with their p-values raised by Holm: what does not hold then is not claimed."""
    if len(results) < 2:
        return list(results), [None] * len(results)
    tested = [at for at, one in enumerate(results) if one.p is not None]
    raised: list[float | None] = [None] * len(results)
    for at, p in zip(tested, adjusted([results[at].p or 0.0 for at in tested], [])[0], strict=True):
        raised[at] = p
    return [_held(one, p, alpha) for one, p in zip(results, raised, strict=True)], raised


def _held(result: Result, raised: float | None, alpha: float) -> Result:
    claimed = result.verdict in (Verdict.INCREASE, Verdict.DECREASE)
    if not claimed or raised is None or raised <= alpha:
        return result
    lost = Check("MULTIPLE", Light.WARN, raised)
    return replace(
        result, verdict=Verdict.CANNOT_TELL, matters=False, checks=(*result.checks, lost),
        codes=(*result.codes, lost.code),
    )  # fmt: skip


def _told(panel: Panel, plan: Plan, last: date, metric: Metric) -> dict[str, Any]:
    return _said(panel, plan, metric, evaluate_panel(panel, plan, read_on=last, draws=DRAWS))


def _said(panel: Panel, plan: Plan, metric: Metric, result: Result) -> dict[str, Any]:
    lasts = lasting_sentence(result)
    return {
        **metric.facts(),
        "smallest": plan.smallest,
        "person_days": rounded(float(panel.headcount[panel.known & panel.under].sum())),
        "result": _facts(result),
        "sentences": [_sentence(one) for one in sentences(result)],
        "assumptions": [_sentence(one) for one in assumption_sentences(result)],
        "against": [one.code for one in against(result)],
        "weeks": _weeks_of_people(panel) if plan.drawn is Drawn.PERSON else _weeks(panel),
        "lasts": None if lasts is None else _sentence(lasts),
    }


def _facts(result: Result) -> dict[str, Any]:
    """Without the cells of single departments on single days: they would show what small groups do."""
    facts = result.facts()
    del facts["cell_effects"]
    return facts


def _sentence(one: Sentence) -> dict[str, Any]:
    return {"pattern": one.pattern, "fields": dict(one.fields)}


def _weeks(panel: Panel) -> list[dict[str, Any]]:
    """By week since the start: what was seen of those that began, and what it would have been."""
    if not panel.ever.any() or panel.ever.all():
        return []
    fit = Imputation(panel)
    expected = fit.effects.unit[:, :1] + fit.effects.day[:, 0][None, :]
    known = panel.known & np.isfinite(expected) & panel.ever[:, None]
    found = []
    for week in range(WEEKS[0], WEEKS[1] + 1):
        cells = known & (panel.since >= week * WEEK) & (panel.since < (week + 1) * WEEK)
        if cells.any():
            seen, without = float(panel.outcome[cells].mean()), float(expected[cells].mean())
            units = int(cells.any(axis=1).sum())
            if math.isfinite(seen) and math.isfinite(without):
                found.append({"week": week, "seen": rounded(seen), "without": rounded(without), "units": units})
    return found


def _weeks_of_people(panel: Panel) -> list[dict[str, Any]]:
    """By week since the start: people drawn to begin, and those drawn to wait; weeks with fewer than ten are hidden."""
    found = []
    for week in range(WEEKS[0], WEEKS[1] + 1):
        start = panel.first + week * WEEK
        part = panel.outcome[:, max(start, 0) : max(start + WEEK, 0)]
        sides = [part[panel.ever], part[~panel.ever]]
        people = [int(np.isfinite(side).any(axis=1).sum()) for side in sides]
        if min(people) >= FEWEST:
            seen, without = (rounded(float(np.nanmean(side))) for side in sides)
            found.append({"week": week, "seen": seen, "without": without, "units": people[0]})
    return found


def _first(text: bytes) -> tuple[str, str]:
    result = json.loads(text)["metrics"][0]["result"]
    return str(result["verdict"]), str(result["grade"])
