"""Webhooks and the robots of group chats are made, paused, let go on, tested and removed; deliveries are sent again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from uptake.basics.sealing import seal
from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.notify.announce import body_of, new_number
from uptake.notify.models import About, Chat, Delivery, Fate, Stop, Webhook
from uptake.notify.post import NotAnAddress, check_host
from uptake.notify.say import PURPOSE as CHATS
from uptake.notify.say import robot_of
from uptake.notify.signature import new_secret

PURPOSE = "notify webhooks"
TEST = "webhook.tested"
"""The kind of a delivery that only tries the way."""
CHAT_TEST = "chat.tested"
SAID_IN_CHATS = (About.ALERTS, About.ANNOUNCEMENTS, About.WEEK)
"""What a group may hear: nothing that is told of one person."""
TOLD_TO_SOFTWARE = tuple(one for one in About if one != About.WEEK)
BOTH_VALID = timedelta(days=1)


class NotEncrypted(ValueError):
    """An address without encryption that nobody has allowed."""


class NothingChosen(ValueError):
    """A webhook that would be told of nothing."""


@transaction.atomic
def make_webhook(
    *,
    organization: Organization,
    name: str,
    address: str,
    about: Iterable[str],
    by: Viewer,
    now: datetime,
    plain_http: bool = False,
) -> tuple[Webhook, str]:
    """(webhook, secret): the secret is shown now and never again.

    Raises NotAllowed, NotAnAddress, NotEncrypted, NothingChosen.
    """
    if not by.may(Deed.MANAGE_DATA, organization):
        raise NotAllowed
    chosen = [one.value for one in TOLD_TO_SOFTWARE if one.value in set(about)]
    if not chosen:
        raise NothingChosen
    address = proper(address, plain_http=plain_http)
    secret = new_secret()
    hook = Webhook.objects.create(
        organization=organization,
        name=name[:100],
        address=address,
        plain_http=address.startswith("http://"),
        about=chosen,
        secret=seal(secret, secret=settings.SECRET_KEY, purpose=PURPOSE),
        made_at=now,
    )
    _note("webhook.made", hook, by, now, about=chosen, host=urlsplit(address).hostname)
    return hook, secret


@transaction.atomic
def make_channel(
    *,
    organization: Organization,
    name: str,
    chat: Chat,
    address: str,
    secret: str = "",
    about: Iterable[str],
    language: str,
    by: Viewer,
    now: datetime,
) -> Webhook:
    """A group's robot that says what happens at a place. Its address is sealed and never shown again.

    Raises NotAllowed, NotAnAddress, NothingChosen.
    """
    if not by.may(Deed.MANAGE_DATA, organization):
        raise NotAllowed
    chosen = [one.value for one in SAID_IN_CHATS if one.value in set(about)]
    if not chosen:
        raise NothingChosen
    robot = robot_of(chat, address, secret)
    hook = Webhook.objects.create(
        organization=organization,
        name=name[:100],
        address="",
        about=chosen,
        secret=seal(robot, secret=settings.SECRET_KEY, purpose=CHATS),
        chat=chat,
        language=language,
        made_at=now,
    )
    _note("chat.made", hook, by, now, about=chosen, chat=chat.value)
    return hook


@transaction.atomic
def renew_secret(*, webhook: Webhook, by: Viewer, now: datetime) -> str:
    """A new secret, shown now and never again; for a day the one before signs beside it. Raises NotAllowed."""
    hook = _held(webhook, by)
    if hook.chat:
        raise NotAllowed
    secret = new_secret()
    hook.old_secret, hook.old_until = hook.secret, now + BOTH_VALID
    hook.secret = seal(secret, secret=settings.SECRET_KEY, purpose=PURPOSE)
    hook.save(update_fields=["secret", "old_secret", "old_until"])
    _note("webhook.renewed", hook, by, now)
    return secret


@transaction.atomic
def remove_webhook(*, webhook: Webhook, by: Viewer, now: datetime) -> None:
    """Takes it away with all its deliveries; the audit log keeps that it was there. Raises NotAllowed."""
    hook = _held(webhook, by)
    _note("chat.removed" if hook.chat else "webhook.removed", hook, by, now, deliveries=hook.deliveries.count())
    hook.deliveries.all().delete()
    hook.delete()


def proper(address: str, *, plain_http: bool) -> str:
    """The address as it is kept. Raises NotAnAddress, NotEncrypted; names are looked up only when it is sent to."""
    address = address.strip()
    try:
        parts = urlsplit(address)
        _port = parts.port
    except ValueError as failure:
        raise NotAnAddress(address[:100]) from failure
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
        raise NotAnAddress(address[:100])
    if any(ord(one) < 33 for one in address) or len(address) > 1000:
        raise NotAnAddress(address[:100])
    check_host(parts.hostname)
    if parts.scheme == "http" and not plain_http:
        raise NotEncrypted(address[:100])
    return address


@transaction.atomic
def pause_webhook(*, webhook: Webhook, by: Viewer, now: datetime) -> Webhook:
    """Nothing is sent from now on; what happens meanwhile waits. Raises NotAllowed."""
    hook = _held(webhook, by)
    if hook.stopped_at is None:
        hook.stopped_at, hook.why_stopped = now, Stop.BY_HAND
        hook.save(update_fields=["stopped_at", "why_stopped"])
        _note("webhook.paused", hook, by, now)
    return hook


@transaction.atomic
def resume_webhook(*, webhook: Webhook, by: Viewer, now: datetime) -> Webhook:
    """What waited is sent, and has three days from now. Raises NotAllowed."""
    hook = _held(webhook, by)
    if hook.stopped_at is not None:
        hook.stopped_at, hook.why_stopped, hook.failures, hook.next_at = None, "", 0, None
        hook.save(update_fields=["stopped_at", "why_stopped", "failures", "next_at"])
        hook.deliveries.filter(fate=Fate.WAITING).update(due_since=now, next_at=now)
        _note("webhook.resumed", hook, by, now)
    return hook


@transaction.atomic
def test_webhook(*, webhook: Webhook, by: Viewer, now: datetime) -> Delivery:
    """Writes a delivery that tells of nothing but that it came. Raises NotAllowed."""
    hook = _held(webhook, by)
    number, kind = new_number(), CHAT_TEST if hook.chat else TEST
    made = Delivery.objects.create(
        webhook=hook,
        number=number,
        key=f"test/{number}",
        kind=kind,
        body=body_of(kind, now, {"organization": hook.organization.slug}, said_in=hook.language if hook.chat else ""),
        written_at=now,
        due_since=now,
        next_at=now,
    )
    _note("webhook.tested", hook, by, now)
    return made


@transaction.atomic
def send_again(*, webhook: Webhook, by: Viewer, now: datetime, delivery_id: int | None = None) -> int:
    """Sends one delivery once more, whatever became of it, or all that were given up; under the same numbers.

    Gives how many. Raises NotAllowed.
    """
    hook = _held(webhook, by)
    rows = hook.deliveries.exclude(fate=Fate.WAITING)
    rows = rows.filter(fate=Fate.DEAD) if delivery_id is None else rows.filter(pk=delivery_id)
    count = rows.update(fate=Fate.WAITING, next_at=now, due_since=now, tries=0)
    if count:
        Webhook.objects.filter(pk=hook.pk).update(next_at=None, failures=0)
        _note("webhook.sent_again", hook, by, now, deliveries=count)
    return count


def _held(webhook: Webhook, by: Viewer) -> Webhook:
    rows = Webhook.objects.select_for_update(of=("self",)).select_related("organization")
    hook = rows.get(pk=webhook.pk)
    if not by.may(Deed.MANAGE_DATA, hook.organization):
        raise NotAllowed
    return hook


def _note(deed: str, hook: Webhook, by: Viewer, now: datetime, **more: object) -> None:
    details = {"webhook": hook.pk, **more}
    note(deed=deed, actor=by, organization=hook.organization, subject=hook.name, details=details, now=now)
