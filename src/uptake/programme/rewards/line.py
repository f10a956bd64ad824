"""The waiting line of a reward: join it, leave it; a piece that comes back is kept some days for whose turn it is.

Whoever waits holds no points. Every door works on the locked reward, as all that changes its stock does: a piece is
kept in the transaction in which it came back, so nobody else can have it first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from uptake.directory.viewer import NotAllowed, Viewer
from uptake.ledger.again import again_where_lost
from uptake.notify.tell import Telling, tell
from uptake.programme.rewards.level import reaches
from uptake.programme.rewards.models import IN_LINE, OPEN, TAKEN, Redemption, Reward, Standing, Wait
from uptake.programme.rewards.refusals import LevelTooLow, LimitReached, NoLine, NotOnOffer, StillThere
from uptake.programme.rewards.terms import terms_of

DUE_AT_ONCE = 200


@again_where_lost
def join_line(*, reward: Reward, by: Viewer, now: datetime) -> Wait:
    """The viewer waits for the reward; joining twice keeps the place.

    Raises NotAllowed for one who does not belong to the company, NotOnOffer, NoLine, LevelTooLow, LimitReached,
    StillThere (one can be had now).
    """
    company = reward.company
    if by.person_id is None or not any(place.startswith(company.path) for place in by.places):
        raise NotAllowed
    with transaction.atomic():
        locked = _locked(reward.pk)
        lapse(locked, now)
        mine = Wait.objects.in_line().filter(reward=locked, person_id=by.person_id).first()
        if mine is not None:
            return mine
        terms = terms_of(company, now)
        if not locked.is_on_offer(terms.today):
            raise NotOnOffer
        if not locked.has_line:
            raise NoLine
        if locked.level and not reaches(
            locked.level, person=by.person_id, company=company.pk, rulebook=terms.rulebook, now=now
        ):
            raise LevelTooLow
        if locked.per_person is not None:
            has = Redemption.objects.filter(reward=locked, person_id=by.person_id, state__in=TAKEN)
            if has.exclude(state__in=OPEN, times_out_at__lte=now).count() >= locked.per_person:
                raise LimitReached
        if locked.left is None or locked.left > 0:
            raise StillThere
        return Wait.objects.create(company=company, reward=locked, person_id=by.person_id, joined_at=now)


@again_where_lost
def leave_line(*, reward: Reward, person: int, now: datetime) -> bool:
    """The person waits no more; what was kept for them goes to the next. Whether they stood in line."""
    with transaction.atomic():
        locked = _locked(reward.pk)
        mine = Wait.objects.in_line().filter(reward=locked, person_id=person).first()
        if mine is None:
            return False
        _end(locked, [mine], Standing.LEFT, now)
        call_next(locked, now)
    return True


def call_next(reward: Reward, now: datetime) -> None:
    """Keeps what is left of a locked reward for the first in line, and tells them; nothing where nobody waits."""
    if not reward.has_line or reward.left is None or reward.left <= 0:
        return
    waiting = Wait.objects.filter(reward=reward, standing=Standing.WAITING).order_by("pk")
    first = list(waiting[: reward.left])
    if not first:
        return
    terms = terms_of(reward.company, now)
    if not reward.is_on_offer(terms.today):
        return
    until = terms.start_of(terms.today + timedelta(days=reward.keep_days + 1))
    Wait.objects.filter(pk__in=[one.pk for one in first]).update(standing=Standing.KEPT, kept_at=now, kept_until=until)
    _keep(reward, len(first))
    for one in first:
        one.kept_until = until
    _tell("reward.kept", reward, first, now)


def lapse(reward: Reward, now: datetime) -> int:
    """Writes down of a locked reward whose days are over, and calls the next; how many they were."""
    if not reward.kept:
        return 0
    late = list(Wait.objects.filter(reward=reward, standing=Standing.KEPT, kept_until__lte=now).order_by("pk"))
    if late:
        _end(reward, late, Standing.LAPSED, now)
        _tell("reward.lapsed", reward, late, now)
        call_next(reward, now)
    return len(late)


def is_kept_for(reward: Reward, person: int, now: datetime) -> bool:
    """Whether it is this person's turn."""
    if not reward.kept:
        return False
    mine = Wait.objects.filter(reward=reward, person_id=person, standing=Standing.KEPT, kept_until__gt=now)
    return mine.exists()


def fetch(reward: Reward, person: int, now: datetime) -> None:
    """The person redeems a locked reward: they stand in line no more, and what was kept is taken."""
    if reward.has_line or reward.kept:
        _end(reward, list(Wait.objects.in_line().filter(reward=reward, person_id=person)), Standing.TAKEN, now)


def close_line(reward: Reward, now: datetime) -> None:
    """Nobody waits for a locked reward any more; those who did are told."""
    rows = list(Wait.objects.in_line().filter(reward=reward).order_by("pk"))
    _end(reward, rows, Standing.CLOSED, now)
    _tell("reward.line_closed", reward, rows, now)


def lapse_due(*, now: datetime, limit: int = DUE_AT_ONCE) -> int:
    """Of all rewards; returns how many. Call again until 0. What came back while nobody looked is kept for the next."""
    due = Wait.objects.filter(standing=Standing.KEPT, kept_until__lte=now).order_by("kept_until", "pk")
    found = set(due.values_list("reward_id", flat=True)[:limit])
    free = Reward.objects.filter(has_line=True, waits__standing=Standing.WAITING, stock__gt=F("taken") + F("kept"))
    count = 0
    for reward_id in sorted(found | set(free.values_list("pk", flat=True)[:limit])):
        with transaction.atomic():
            reward = _locked(reward_id)
            count += lapse(reward, now)
            call_next(reward, now)
    return count


def place_of(wait: Wait) -> int:
    """1 is the first of those who still wait."""
    return Wait.objects.filter(reward_id=wait.reward_id, standing=Standing.WAITING, pk__lte=wait.pk).count()


def _locked(reward: int) -> Reward:
    return Reward.objects.select_for_update(no_key=True, of=("self",)).select_related("company").get(pk=reward)


def _end(reward: Reward, rows: list[Wait], standing: Standing, now: datetime) -> None:
    if not rows:
        return
    Wait.objects.filter(pk__in=[one.pk for one in rows], standing__in=IN_LINE).update(standing=standing, ended_at=now)
    _keep(reward, -sum(one.standing == Standing.KEPT for one in rows))


def _keep(reward: Reward, more: int) -> None:
    if more:
        Reward.objects.filter(pk=reward.pk).update(kept=F("kept") + more)
        reward.kept += more


def _tell(kind: str, reward: Reward, rows: list[Wait], now: datetime) -> None:
    names = {"reward": reward.pk, "name_en": reward.name_in("en"), "name_zh": reward.name_in("zh")}
    tell(
        [
            Telling(
                person_id=one.person_id,
                key=f"{kind}/{one.pk}",
                kind=kind,
                content={**names, **({"until": one.kept_until.isoformat()} if one.kept_until else {})},
            )
            for one in rows
        ],
        now=now,
    )
