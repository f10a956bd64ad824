"""Sends what webhooks wait for: in order, again after growing pauses, for three days; what was sent long ago goes.

A webhook is claimed in a transaction of its own, then each delivery is sent and what came of it written. Whoever is
killed in between leaves a delivery that waits: it is sent once more, under the same number and with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from uptake.basics.sealing import InvalidToken, unseal
from uptake.notify.models import Delivery, Fate, Stop, Webhook
from uptake.notify.post import Answer, post
from uptake.notify.say import say
from uptake.notify.signature import headers_of
from uptake.notify.subscribe import PURPOSE

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
"""Pauses double from the first to this."""
GIVEN_UP_AFTER = timedelta(days=3)
CLAIM = timedelta(minutes=3)
"""For so long no other runner sends to a webhook; a runner turns to others after a minute."""
TURN = timedelta(minutes=1)
AT_ONCE = 100
KEPT = timedelta(days=30)
"""What was delivered is kept for so long; what was given up for three times as long."""
GONE = 410
WAIT = (408, 425, 429)
"""With 5xx and no answer at all: the receiver cannot take anything now. Other refusals are about the one delivery."""

Post = Callable[..., Answer]


def deliver(*, clock: Callable[[], datetime], limit: int = 20, post: Post = post) -> int:
    """How many deliveries were sent or given up."""
    return sum(_serve(hook, clock, post) for hook in _claim(clock(), limit))


def forget_deliveries(*, now: datetime) -> int:
    """Removes what was delivered a month, and given up three months ago; how many."""
    old = Q(fate=Fate.DELIVERED, written_at__lt=now - KEPT) | Q(fate=Fate.DEAD, written_at__lt=now - 3 * KEPT)
    gone, _kinds = Delivery.objects.filter(old).delete()
    return gone


def _claim(now: datetime, limit: int) -> list[Webhook]:
    waiting = Delivery.objects.filter(webhook=OuterRef("pk"), next_at__lte=now)
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    due = Q(next_at__isnull=True) | Q(next_at__lte=now)
    rows = Webhook.objects.filter(Exists(waiting), free, due, stopped_at__isnull=True)
    with transaction.atomic():
        locked = rows.select_for_update(skip_locked=True, of=("self",), no_key=True)
        found = list(locked.order_by(F("last_sent_at").asc(nulls_first=True), "pk")[:limit])
        Webhook.objects.filter(pk__in=[one.pk for one in found]).update(claimed_until=now + CLAIM)
    return found


def _serve(hook: Webhook, clock: Callable[[], datetime], post: Post) -> int:
    """Sends in order until the receiver cannot take more, nothing waits or the turn is over."""
    begun, done = clock(), 0
    held = Webhook.objects.filter(pk=hook.pk, claimed_until__gt=begun, stopped_at__isnull=True)
    if not held.update(claimed_until=begun + CLAIM):  # others were served first, and it took long
        return 0
    for row in hook.deliveries.filter(next_at__lte=begun).order_by("pk")[:AT_ONCE]:
        if clock() - begun > TURN:
            break
        going = _go_on(hook, row, clock, post)
        done += row.fate != Fate.WAITING
        if not going:
            break
    Webhook.objects.filter(pk=hook.pk).update(claimed_until=None)
    return done


def _go_on(hook: Webhook, row: Delivery, clock: Callable[[], datetime], post: Post) -> bool:
    """Tries one delivery and writes what came of it; whether the next may be tried now."""
    now = clock()
    try:
        answer = say(hook, row, post) if hook.chat else _hand_over(hook, row, now, post)
    except InvalidToken:
        answer = Answer(None, "the secret cannot be opened: make the webhook anew")
    now = clock()
    row.tries, row.tried_at, row.status, row.answer = row.tries + 1, now, answer.status, answer.text
    if answer.status is not None and 200 <= answer.status < 300:
        row.fate, row.next_at, row.delivered_at = Fate.DELIVERED, None, now
        _write(hook, row, failures=0, next_at=None, last_sent_at=now)
        return True
    unable = answer.status is None or answer.status >= 500 or answer.status in WAIT
    failures = hook.failures + 1 if unable else row.tries
    again = now + max(_pause(failures), timedelta(seconds=min(answer.after or 0, LONGEST_PAUSE.total_seconds())))
    if answer.status == GONE or again - row.due_since > GIVEN_UP_AFTER:
        row.fate, row.next_at = Fate.DEAD, None
    else:
        row.next_at = again
    if answer.status == GONE:
        _write(hook, row, stopped_at=now, why_stopped=Stop.GONE)
        return False
    if unable:
        _write(hook, row, failures=failures, next_at=again)
        return False
    _write(hook, row)
    return True


def _hand_over(hook: Webhook, row: Delivery, now: datetime, post: Post) -> Answer:
    """Signed by the secret, and for a day after it was made anew by the one before."""
    sealed = [hook.secret]
    if hook.old_secret is not None and hook.old_until is not None and hook.old_until > now:
        sealed.append(hook.old_secret)
    secrets = [unseal(one, secret=settings.SECRET_KEY, purpose=PURPOSE) for one in sealed]
    return post(
        hook.address, body=row.body, headers=headers_of(secrets=secrets, number=row.number, at=now, body=row.body)
    )


def _pause(failures: int) -> timedelta:
    """After the nth failure in a row: 5 s, 10 s, 20 s … an hour."""
    pause: timedelta = FIRST_PAUSE * 2 ** min(failures - 1, 20)
    return min(pause, LONGEST_PAUSE)


@transaction.atomic
def _write(hook: Webhook, row: Delivery, **more: object) -> None:
    """What came of the attempt; a delivery that an erasure has taken away meanwhile is not written again."""
    fields = ("fate", "next_at", "tries", "tried_at", "status", "answer", "delivered_at")
    Delivery.objects.filter(pk=row.pk).update(**{name: getattr(row, name) for name in fields})
    if more:
        for name, value in more.items():
            setattr(hook, name, value)
        Webhook.objects.filter(pk=hook.pk).update(**more)
