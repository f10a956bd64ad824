"""Tell people something: many messages at once, each by its key, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import connection, transaction


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
    rows = [(one.person_id, one.key, one.kind, dict(one.content)) for one in messages]
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # One JSON text of all messages: the driver takes many times as long to write an array of texts.
            cursor.execute(
                "INSERT INTO notify_message (txid, person_id, key, kind, content, created_at)"
                " SELECT 0, (m->>0)::bigint, m->>1, m->>2, m->3, %s FROM jsonb_array_elements(%s::jsonb) m"
                " ON CONFLICT (person_id, key) DO NOTHING",
                [now, orjson.dumps(rows).decode()],
            )
            return
        at = connection.ops.adapt_datetimefield_value(now)
        cursor.executemany(
            "INSERT INTO notify_message (txid, person_id, key, kind, content, created_at)"
            " VALUES (0, %s, %s, %s, %s, %s) ON CONFLICT (person_id, key) DO NOTHING",
            [(person, key, kind, orjson.dumps(content).decode(), at) for person, key, kind, content in rows],
        )
