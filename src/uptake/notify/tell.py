"""Tell people something: many messages at once, each by its key, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from uptake.notify.models import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A message to be: `content` holds the named fields of the sentence its `kind` stands for."""

    person_id: int
    key: str
    """Unique for the person: telling again under it tells nothing."""
    kind: str
    content: Mapping[str, Any] = field(default_factory=dict)


def tell(messages: Sequence[Telling], *, now: datetime) -> None:
    """Write the messages in one transaction. Those whose key the person was told before are left as they were."""
    if not messages:
        return
    with transaction.atomic():
        Message.objects.bulk_create(
            [
                Message(
                    person_id=message.person_id,
                    key=message.key,
                    kind=message.kind,
                    content=dict(message.content),
                    created_at=now,
                )
                for message in messages
            ],
            batch_size=1000,
            ignore_conflicts=True,
        )
