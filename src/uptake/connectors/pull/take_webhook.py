"""Takes what a connected system tells by itself: proven, understood, and recorded in one transaction before the answer.

Whoever is killed before the commit has answered nothing, so the system tells it again. Its key is that of the record
when it is asked for, so what is told twice, or told and then read, is one event.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from django.db import transaction
from django.db.models import F

from uptake.connectors.models import KnownRecord, Pull, PullStream
from uptake.connectors.pull.declaration import Declaration, read_yaml
from uptake.connectors.pull.opening import access, reading_of, zone_of
from uptake.connectors.pull.read_page import remember, store, understood
from uptake.connectors.pull.secrets import opened
from uptake.connectors.pull.webhook import NotProven, proven, told
from uptake.events.record import ConnectionPaused


@lru_cache(maxsize=64)
def _read(text: str) -> Declaration:
    return read_yaml(text)[0]


def heard(
    *, pull: Pull, query: Mapping[str, str], headers: Mapping[str, str], body: bytes, now: datetime
) -> Declaration:
    """The declaration of a connection, once what came is proven. `headers` by lower-case name; writes nothing.

    Raises NotProven (also where the connection takes no webhook), BadDeclaration, SignInRefused where its secrets
    cannot be opened.
    """
    declaration = _read(pull.declaration)
    hook = declaration.webhook
    if hook is None:
        raise NotProven
    secret = opened(pull.secrets).get(hook.secret, "")
    proven(hook, secret, query=query, headers=headers, body=body, now=now)
    return declaration


def take_webhook(*, pull: Pull, declaration: Declaration, body: bytes, now: datetime) -> int:
    """Records what was heard; how many events were made. `pull` with its connection and organization.

    Raises NotReadable, ConnectionPaused.
    """
    hook = declaration.webhook
    assert hook is not None, "only what was proven is taken"
    if pull.connection.paused_at is not None:
        raise ConnectionPaused
    settings = access(pull.connection, declaration, pull.settings, {}).settings
    reading, made = reading_of(pull, declaration, settings), 0
    by_stream = told(declaration, hook, body, settings, zone_of(pull.connection))
    with transaction.atomic():
        for name, records in by_stream.items():
            stream = declaration.stream(name)
            state, _made = PullStream.objects.get_or_create(pull=pull, name=name)
            new = store(pull, state, understood(reading, stream, [one for one, _gone in records]), now)
            if stream.sweep is not None:
                remember(state, [one.id for one, gone in records if one.id and not gone])
                gone = [one.id for one, gone in records if one.id and gone]
                KnownRecord.objects.filter(stream=state, record_id__in=gone).update(vanished_at=now)
            PullStream.objects.filter(pk=state.pk).update(new=F("new") + new, records=F("records") + len(records))
            made += new
    return made
