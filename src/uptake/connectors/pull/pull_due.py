"""Asks the systems whose time has come: each stream from where it stands to its end, a page in a transaction each.

Nothing is asked inside a transaction. What goes wrong decides when the system is asked again: it said when, it could
not be reached (twice as long after each failure, at most ten minutes), or a person must look (not at all until then).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from uptake.connectors.models import Pull, PullStream
from uptake.connectors.pull.declaration import BadDeclaration, Declaration, Stream
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.opening import open_pull, reading_of
from uptake.connectors.pull.pace import Bucket, pause, rest
from uptake.connectors.pull.protocol import (
    Connector,
    Forbidden,
    NeedsAttention,
    Position,
    Problem,
    SlowDown,
    Unfit,
    Unreachable,
)
from uptake.connectors.pull.read_page import TakenOver, begin, read_page
from uptake.connectors.pull.sweep import sweep
from uptake.connectors.pull.tell_attention import tell_attention
from uptake.events.record import ConnectionPaused

log = logging.getLogger(__name__)

PAGES_A_TURN = 50
"""Then others have their turn; what is left comes at once after them."""
NIGHT_HOUR = 2
"""From this hour, at the connection's place, the wider span is read again, once a day."""
Opener = Callable[[Pull], tuple[Declaration, Any, Connector]]


@dataclass
class Turn:
    """What one turn of a connection brought."""

    pages: int = 0
    new: int = 0
    unfinished: bool = False


def pull_due(*, clock: Callable[[], datetime], limit: int = 20) -> int:
    """Asks the systems that are due, one after the other; how many events came of it."""
    new = 0
    for key in due_pulls(clock(), limit=limit):
        try:
            new += pull_connection(pull_id=key, clock=clock).new
        except (TakenOver, ConnectionPaused):
            continue
    return new


def due_pulls(now: datetime, *, limit: int) -> list[int]:
    """The numbers of the systems whose time has come, the longest due first."""
    due = Pull.objects.filter(next_at__lte=now, attention__isnull=True, connection__paused_at__isnull=True)
    return list(due.order_by("next_at").values_list("pk", flat=True)[:limit])


def pull_connection(*, pull_id: int, clock: Callable[[], datetime], opener: Opener = open_pull) -> Turn:
    """Asks one system, each of its streams; sets when it is asked again. Raises TakenOver, ConnectionPaused."""
    begun = clock()
    pull = _take_up(pull_id, begun)
    turn = Turn()
    connector: Connector | None = None
    try:
        declaration, access, connector = opener(pull)
        if not pull.who or (declaration.check is not None and declaration.check.each_run):
            pull.who = connector.check().who[:200] or "-"
        reading = reading_of(pull, declaration, access.settings)
        for stream in declaration.streams:
            _turn_of_stream(pull, stream, reading, connector, declaration, turn, clock)
    except (TakenOver, ConnectionPaused):
        raise
    except SlowDown as problem:
        seconds = pause(1, every_seconds=pull.every_seconds) if problem.retry_after is None else None
        wait = seconds or pause(0, every_seconds=pull.every_seconds, retry_after=problem.retry_after)
        _end(pull, clock(), wait, failure=_said(problem))
    except Unreachable as problem:
        wait = pause(pull.failures + 1, every_seconds=pull.every_seconds)
        _end(pull, clock(), wait, failures=pull.failures + 1, failure=_said(problem))
    except NeedsAttention as problem:
        _need_attention(pull, problem, clock())
    except BadDeclaration as problem:
        _need_attention(pull, Unfit(str(problem)[:200], code="declaration"), clock())
    except Exception as failure:
        log.exception("Connection %s could not be read", pull.connection.slug)
        wait = pause(pull.failures + 1, every_seconds=pull.every_seconds)
        said = {"code": "failure", "detail": type(failure).__name__}
        _end(pull, clock(), wait, failures=pull.failures + 1, failure=said)
        raise
    else:
        now = clock()
        bucket = _spend(pull, connector, declaration, now)
        wait = timedelta(0) if turn.unfinished else rest(pull.every_seconds, now - begun)
        done = {} if turn.unfinished else {"read_at": now}
        wait = max(wait, bucket.wait(per_second=declaration.per_second))
        _end(pull, now, wait, failures=0, failure=None, who=pull.who, **done)
    finally:
        if connector is not None:
            connector.close()
    return turn


def _turn_of_stream(
    pull: Pull,
    stream: Stream,
    reading: Reading,
    connector: Connector,
    declaration: Declaration,
    turn: Turn,
    clock: Callable[[], datetime],
) -> None:
    state, _made = PullStream.objects.get_or_create(pull=pull, name=stream.name)
    if state.attention is not None:
        return
    try:
        _read_stream(pull, state, stream, reading, connector, declaration, turn, clock)
        if stream.sweep is not None and state.place is None and _at_night(pull, state.swept_at, clock()):
            turn.new += sweep(
                pull=pull, state=state, stream=stream, connector=connector, history=reading.history_before, now=clock()
            )
    except (Forbidden, Unfit) as problem:
        # one stream that may not be read does not stop the others
        now = clock()
        with transaction.atomic():
            PullStream.objects.filter(pk=state.pk).update(attention=_said(problem), attention_at=now)
            tell_attention(pull, problem.code, stream.name, now=now)


def _read_stream(
    pull: Pull,
    state: PullStream,
    stream: Stream,
    reading: Reading,
    connector: Connector,
    declaration: Declaration,
    turn: Turn,
    clock: Callable[[], datetime],
) -> None:
    now = clock()
    position, wide = begin(state, stream, pull, wide=_at_night(pull, state.wide_at, now), now=now)
    if state.reread_from is not None:
        _begin_again(pull, state, position)
    for _page in range(PAGES_A_TURN):
        page = connector.pull(stream, position, stream.page)
        now = clock()
        bucket = _spend(pull, connector, declaration, now)
        before, position = position, _stored(pull, state, stream, reading, page, position, wide, turn, now)
        if page.complete or not page.records or (position == before):
            _finish(pull, state, wide, now)
            return
        if bucket.wait(per_second=declaration.per_second):
            break
    turn.unfinished = True


def _stored(
    pull: Pull,
    state: PullStream,
    stream: Stream,
    reading: Reading,
    page: Any,
    position: Position,
    wide: bool,
    turn: Turn,
    now: datetime,
) -> Position:
    if not page.records:
        return position
    before = state.new
    position = read_page(
        pull=pull, state=state, stream=stream, reading=reading, page=page, after=position, wide=wide, now=now
    )
    turn.pages += 1
    turn.new += state.new - before
    return position


@transaction.atomic
def _begin_again(pull: Pull, state: PullStream, position: Position) -> None:
    state.place = {
        "at": position.at.isoformat() if position.at else None,
        "id": position.id,
        "same": 0,
        "wide": False,
    }
    state.reread_from = None
    _still_ours(pull)
    state.save(update_fields=["place", "reread_from"])


@transaction.atomic
def _finish(pull: Pull, state: PullStream, wide: bool, now: datetime) -> None:
    _still_ours(pull)
    state.place, state.read_at = None, now
    if wide:
        state.wide_at = now
    state.save(update_fields=["place", "read_at", "wide_at"])


def _still_ours(pull: Pull) -> None:
    if not Pull.objects.filter(pk=pull.pk, attempt=pull.attempt).update(attempt=pull.attempt):
        raise TakenOver


def _take_up(pull_id: int, now: datetime) -> Pull:
    if not Pull.objects.filter(pk=pull_id).update(attempt=F("attempt") + 1, tried_at=now):
        raise TakenOver
    pull = Pull.objects.select_related("connection__organization").get(pk=pull_id)
    if pull.connection.paused_at is not None:
        raise ConnectionPaused
    return pull


def _spend(pull: Pull, connector: Connector, declaration: Declaration, now: datetime) -> Bucket:
    bucket = Bucket(pull.tokens, pull.tokens_at)
    bucket = bucket.filled(now, per_second=declaration.per_second, burst=declaration.burst).less(connector.calls())
    pull.tokens, pull.tokens_at = bucket.tokens, bucket.at
    return bucket


def _end(pull: Pull, now: datetime, wait: timedelta, **values: Any) -> None:
    mine = Pull.objects.filter(pk=pull.pk, attempt=pull.attempt)
    mine.update(next_at=now + wait, tokens=pull.tokens, tokens_at=pull.tokens_at, **values)


def _need_attention(pull: Pull, problem: Problem, now: datetime) -> None:
    with transaction.atomic():
        mine = Pull.objects.filter(pk=pull.pk, attempt=pull.attempt)
        if mine.update(attention=_said(problem), attention_at=now, failure=_said(problem)):
            tell_attention(pull, problem.code, "", now=now)


def _said(problem: Problem) -> dict[str, str]:
    return {"code": problem.code, "detail": problem.detail[:200]}


def _at_night(pull: Pull, last: datetime | None, now: datetime) -> bool:
    """Whether a night has come since, at the connection's place. Where it was never done, it is not due at once."""
    zone = ZoneInfo(pull.connection.clock.at(now).zone)
    since = last or pull.activated_at
    night = now.astimezone(zone).replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    if night > now:
        night -= timedelta(days=1)
    return since < night
