"""What a record means: its tellings, read against it, become happenings. Pure, so that it is tested on recorded JSON.

The key must be whole: a hole in it that finds nothing would give many records the same key, so the record is refused
instead. What the system did by itself (`side_effect`, `system`) is looked at and earns nothing, unless asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jmespath.exceptions import JMESPathError

from uptake.connectors.pull.declaration import KINDS, Declaration, Stream, Telling
from uptake.connectors.pull.instants import NotAnInstant, instant
from uptake.connectors.pull.protocol import Record
from uptake.connectors.pull.template import Template, as_text, compiled, options
from uptake.events.happening import Happening

NOTHING_KEY = "_"


class Unmappable(ValueError):
    """The record says nothing that can be understood: `code` and where."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Reading:
    """What records are read with."""

    declaration: Declaration
    source: str
    zone: str
    settings: Mapping[str, str]
    history_before: datetime | None = None
    """What happened before is history: it earns nothing. None: everything may earn."""
    side_effects_earn: bool = False

    def read(self, stream: Stream, record: Record) -> list[Happening]:
        """The happenings a record tells of; none where no telling fits it. Raises Unmappable."""
        if record.problem:
            raise Unmappable(record.problem)
        plain = {
            **record.raw,
            NOTHING_KEY: {**self.settings, "source": self.source, "id": record.id, "zone": self.zone_of(stream)},
        }
        with_ = options(self.declaration.words)
        told = []
        for telling in stream.tellings:
            try:
                if not telling.when or compiled(telling.when).search(plain, with_):
                    told.append(self._happening(stream, telling, record, plain, with_))
            except JMESPathError as failure:
                raise Unmappable("expression", " ".join(str(failure).split())[:200]) from failure
        return told

    def _happening(
        self, stream: Stream, telling: Telling, record: Record, plain: Mapping[str, Any], with_: Any
    ) -> Happening:
        def text(template: Template | None) -> str:
            return "" if template is None else as_text(template.value(plain, with_)).strip()

        for name, needed in (("key", telling.key), ("event", telling.event)):
            if needed.gap(plain, with_):
                raise Unmappable("gap", f"{name}: {needed.text}")
        at = record.at
        if telling.at is not None:
            try:
                at = instant(telling.at.value(plain, with_), self.zone_of(stream))
            except NotAnInstant as failure:
                raise Unmappable("time", str(failure)) from failure
        if at is None:
            raise Unmappable("time", "")
        kind = text(telling.kind) or KINDS[0]
        if kind not in KINDS:
            raise Unmappable("kind", kind)
        facts = {name: value for name, one in telling.facts.items() if (value := one.value(plain, with_)) is not None}
        if kind != KINDS[0]:
            facts["kind"] = kind
        before = self.history_before is not None and at < self.history_before
        return Happening(
            event=text(telling.event),
            key=text(telling.key),
            at=at,
            person=text(telling.person) or None,
            object=text(telling.object),
            facts=facts,
            company=text(telling.company) or None,
            history_only=before or (kind != KINDS[0] and not self.side_effects_earn),
            person_name=text(telling.person_name),
            person_email=text(telling.person_email),
            person_staff_number=text(telling.staff_number),
        )

    def zone_of(self, stream: Stream) -> str:
        """The zone of times of this stream that name none."""
        return stream.order.zone or self.declaration.zone or self.zone


def placed(stream: Stream, raw: Mapping[str, Any], zone: str) -> Record:
    """A record with its place in the order, as the declaration's fields say; with a problem where it has none."""
    try:
        found = compiled(stream.order.id).search(raw)
        at = instant(compiled(stream.order.time).search(raw), zone) if stream.order.time else None
    except (JMESPathError, NotAnInstant) as failure:
        return Record(raw, problem="time" if isinstance(failure, NotAnInstant) else "expression")
    if found in (None, "") or isinstance(found, dict | list):
        return Record(raw, at=at, problem="id")
    return Record(raw, as_text(found), at)
