"""Posts what folds changed: awards as they are now, and the differences in points, decreases before increases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

from uptake.ledger.grant import Grant, Taking, grant, take_back
from uptake.ledger.rows import insert_rows
from uptake.programme.beyond_a_date import Folded
from uptake.programme.evaluate import REVERSED, Key
from uptake.programme.gather import AWARD_COLUMNS, AwardRow, Gathered
from uptake.programme.lot_dates import ALWAYS, LotDates
from uptake.programme.merit import Gain
from uptake.programme.models import Award
from uptake.programme.publish import READER


@dataclass(slots=True)
class Difference:
    """An award to be written, and by how much the points of two people change."""

    award: AwardRow
    order: tuple[Any, ...]
    taken: int
    """Points to take from `former`, before the award is written."""
    former: int
    former_company: int
    former_date: date
    given: int
    is_new: bool
    source: str = ""
    event_key: str = ""
    rank: int = 0
    title: str = ""
    event: Gathered | None = None
    lot: LotDates = ALWAYS


def differences_of(
    outcomes: Iterable[Folded], awards: Mapping[Key, AwardRow], touched: Mapping[int, Gathered]
) -> list[Difference]:
    """What is new or other than before, in canonical order."""
    found: list[Difference] = []
    settled: set[Key] = set()
    for folded in outcomes:
        bucket, version, outcome = folded.bucket, folded.version, folded.outcome
        key = outcome.key
        settled.add(key)
        event = outcome.event
        award = awards.get(key)
        is_new = award is None
        reasons = list(outcome.reasons)
        if award is None:
            award = AwardRow(
                0,
                event.id,
                outcome.rule,
                outcome.version,
                version,
                bucket.person,
                bucket.company,
                event.date,
                event.at,
                outcome.points,
                reasons,
                outcome.explanation,
                1 if outcome.points else 0,
            )
            former, former_company, taken, given = bucket.person, bucket.company, 0, outcome.points
            former_date = event.date
        else:
            former, former_company, former_date = award.person_id, award.company_id, award.date
            same_person = (former, former_company) == (bucket.person, bucket.company)
            same_terms = award.version == outcome.version and award.rulebook_id == version
            result = (outcome.points, reasons, outcome.explanation)
            if same_person and same_terms and (award.points, award.reasons, award.explanation) == result:
                continue
            change = outcome.points - award.points
            taken, given = (max(0, -change), max(0, change)) if same_person else (award.points, outcome.points)
            award.person_id, award.company_id, award.date = bucket.person, bucket.company, event.date
            award.version, award.rulebook_id, award.happened_at = outcome.version, version, event.at
            award.points, award.reasons, award.explanation = result
        found.append(
            Difference(
                award=award,
                order=(event.at, event.source, event.key, event.id, outcome.rank),
                taken=taken,
                former=former,
                former_company=former_company,
                former_date=former_date,
                given=given,
                is_new=is_new,
                source=event.source,
                event_key=event.key,
                rank=outcome.rank,
                title=folded.rules.rules[outcome.rank].title,
                event=touched.get(event.id),
                lot=folded.rules.lots[outcome.rank],
            )
        )
    for key, award in awards.items():
        # The event of this award is nobody's, or waits again: what it earned is taken back.
        one = touched.get(award.event_id)
        if key in settled or one is None or not award.points:
            continue
        if one.bucket == award.bucket and not one.withheld:
            continue
        order = (award.happened_at, one.source, one.key, one.id, 0)
        found.append(
            Difference(
                award, order, award.points, award.person_id, award.company_id, award.date, 0, False, one.source, one.key
            )
        )
        award.points, award.reasons = 0, [REVERSED]
        award.explanation = {"rule": award.rule, "version": award.version}
    found.sort(key=lambda difference: difference.order)
    return found


def gains_of(differences: Iterable[Difference]) -> Iterator[Gain]:
    """What people gained and lost by them, on the dates the awards were and are on."""
    for one in differences:
        award = one.award
        at, ended_at = (award.happened_at, None) if award.points else (None, award.happened_at)
        here = (award.company_id, award.person_id, award.date)
        there = (one.former_company, one.former, one.former_date)
        if here == there:
            if one.given or one.taken:
                yield Gain(*here, one.given - one.taken, at, ended_at)
        else:
            same_person = here[:2] == there[:2]
            before = award.points - one.given + one.taken if same_person else one.taken
            if before:
                yield Gain(*there, -before, None, award.happened_at)
            if award.points:
                yield Gain(*here, award.points, at)


def post(differences: Sequence[Difference], now: datetime) -> None:
    """Posts decreases, then increases, and notes them on the awards."""
    changed = [one for one in differences if not one.is_new]
    takings: list[Taking] = []
    for one in changed:
        if one.taken:
            one.award.transfers += 1
            takings.append(_taking(one))
    for one in changed:
        if one.given:
            one.award.transfers += 1
    take_back(takings, now=now)
    grant([grant_of(one) for one in differences if one.given], now=now)
    _update([one.award for one in changed], now)


def insert_awards(awards: Sequence[AwardRow], now: datetime) -> None:
    rows = [
        (
            award.event_id,
            award.rule,
            award.version,
            award.rulebook_id,
            award.person_id,
            award.company_id,
            award.date,
            award.happened_at,
            award.points,
            orjson.dumps(award.reasons).decode(),
            award.explanation,
            award.transfers,
            now,
        )
        for award in awards
    ]
    insert_rows(Award, (*AWARD_COLUMNS[1:], "considered_at"), rows)


def _update(awards: Sequence[AwardRow], now: datetime) -> None:
    if not awards:
        return
    rows = [Award(**{name: getattr(award, name) for name in AWARD_COLUMNS}, considered_at=now) for award in awards]
    changing = [*(name for name in AWARD_COLUMNS if name not in ("id", "event_id", "rule")), "considered_at"]
    Award.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[name.removesuffix("_id") for name in changing],
        batch_size=500,
    )


def grant_of(one: Difference) -> Grant:
    award = one.award
    return Grant(
        book=award.company_id,
        key=transfer_key(award),
        lot=_lot_key(award, award.person_id),
        owner=str(award.person_id),
        points=one.given,
        cause=f"event/{award.event_id}",
        happened_at=award.happened_at,
        available_from=one.lot.available_from or award.happened_at,
        last_date=one.lot.last_date,
        expires_at=one.lot.expires_at,
        inactive_days=one.lot.inactive_days,
        source=one.source,
        event_key=one.event_key,
        rule_order=one.rank,
        reason=f"rule/{award.rule}/{award.version}",
        explanation=_explained(award),
    )


def _taking(one: Difference) -> Taking:
    award = one.award
    return Taking(
        book=one.former_company,
        key=transfer_key(award),
        lot=_lot_key(award, one.former),
        points=one.taken,
        cause=f"event/{award.event_id}",
        reason=f"rule/{award.rule}/{award.version}",
        explanation=_explained(award),
    )


def transfer_key(award: AwardRow) -> str:
    """The key of the award's latest transfer."""
    return f"award/{award.event_id}/{award.rule}/{award.transfers}"


def _lot_key(award: AwardRow, person: int) -> str:
    """The key of the lot: one per award and person, should its event pass to another."""
    return f"award/{award.event_id}/{award.rule}/of/{person}"


def _explained(award: AwardRow) -> dict[str, Any]:
    """I12, flat and short, as the chain hashes it: who, by which rule, how much before and after the limits."""
    whole = award.explanation
    told: dict[str, Any] = {
        "actor": READER,
        "rulebook": award.rulebook_id,
        "rule": award.rule,
        "version": award.version,
        "points": award.points,
    }
    if "before_caps" in whole:
        told["before_caps"] = whole["before_caps"]
    if award.reasons:
        told["reasons"] = ",".join(award.reasons)
        for cap in whole.get("caps", ()):
            if cap.get("clipped"):
                told |= {"used": cap["used"], **cap["cap"]}
    return told
