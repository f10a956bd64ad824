"""Counts how far those who joined challenges have come, and ends challenges once nothing late can count any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from uptake.directory.models import Organization
from uptake.directory.update_each import update_each
from uptake.events.record_own import OwnDeed, record_own
from uptake.notify.tell import Telling, tell
from uptake.programme.merits.deeds import Done, deeds_of, points_by_rule, reached_at, together
from uptake.programme.merits.keep_boards import BoardClock
from uptake.programme.merits.models import Challenge, ChallengeState, Participant
from uptake.programme.merits.plan_challenge import note_challenge


def ends_at(row: Challenge, clock: BoardClock) -> datetime:
    """From when on nothing late counts any more."""
    late = clock.programme_on(row.until_date).lateness_days
    return clock.clock.start_of(row.until_date + timedelta(days=late))


@transaction.atomic
def count_challenges(company_id: int, *, now: datetime) -> int:
    """Counts the open challenges of a company; gives how many lines changed. Safe to repeat."""
    company = Organization.objects.get(pk=company_id)
    clock = BoardClock(company)
    rows = Challenge.objects.filter(company=company, state=ChallengeState.OPEN).order_by("pk")
    return sum(_count(row, clock, now) for row in rows.select_for_update(no_key=True, of=("self",)))


def done_for(row: Challenge, people: Sequence[int]) -> dict[int, list[Done]]:
    """What these people did for a challenge, by person, in its order."""
    if row.rule:
        return points_by_rule(row.company_id, row.rule, people=people, since=row.from_date, until=row.until_date)
    return deeds_of(
        row.company_id,
        row.event_name,
        people=people,
        since=row.from_date,
        until=row.until_date,
        with_history=False,
    )


def _count(row: Challenge, clock: BoardClock, now: datetime) -> int:
    joined = list(row.participants.select_for_update(no_key=True).order_by("pk"))
    done = done_for(row, [one.person_id for one in joined]) if joined else {}
    met = _met(row, joined, done)
    changed = []
    for one in joined:
        reached = sum(each.amount for each in done.get(one.person_id, ()))
        met_at = met.get(one.pk)
        if (one.reached, one.met_at) != (reached, met_at):
            one.reached, one.met_at = reached, met_at
            changed.append(one)
    update_each(changed, ["reached", "met_at"])
    row.counted_at = now
    if now >= ends_at(row, clock):
        row.state, row.ended_at = ChallengeState.ENDED, now
        _tell_of_end(row, [one for one in joined if one.met_at is not None], now)
    row.save(update_fields=["counted_at", "state", "ended_at"])
    return len(changed)


def _met(row: Challenge, joined: Sequence[Participant], done: Mapping[int, Sequence[Done]]) -> dict[int, datetime]:
    """When those who reached the goal, or whose team did, reached it. Who did nothing for the team met nothing."""
    groups: dict[int, list[Participant]] = defaultdict(list)
    for one in joined:
        groups[one.team_id or 0 if row.teams else one.pk].append(one)
    found: dict[int, datetime] = {}
    for group in groups.values():
        at = reached_at(together(done, [one.person_id for one in group]), row.goal)
        if at is not None:
            found |= {one.pk: at for one in group if done.get(one.person_id)}
    return found


def _tell_of_end(row: Challenge, met: Sequence[Participant], now: datetime) -> None:
    said = {"challenge": row.pk, "name_en": row.name_in("en"), "name_zh": row.name_in("zh")}
    record_own(
        [
            OwnDeed(
                row.company_id, one.person_id, "challenge.met", f"challenge/{row.pk}/{one.person_id}", now,
                f"challenge/{row.pk}",
            )
            for one in met
        ],
        now=now,
    )  # fmt: skip
    tell(
        [
            Telling(person_id=one.person_id, key=f"challenge/{row.pk}/met", kind="challenge.met", content=said)
            for one in met
        ],
        now=now,
    )
    note_challenge("ended", row, "job merits", now, met=len(met), joined=row.participants.count())
