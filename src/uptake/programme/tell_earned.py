"""Tells people what they earned: one message each, and the levels they reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from uptake.events.models import EventType
from uptake.notify.announce import News as Heard
from uptake.notify.announce import announce, somebody_listens
from uptake.notify.models import About
from uptake.notify.tell import Telling, tell
from uptake.programme.evaluate import Key
from uptake.programme.gather import ids_of_awards
from uptake.programme.post_differences import Difference, transfer_key

EARNED = "points_earned"
"""The kind of the message."""
TOLD = 3
"""Awards told of in one message, which counts them all."""
NEWS = timedelta(days=1)
"""Awards of events older than this are not told as news."""


@dataclass(slots=True)
class News:
    """What people will be told: one message each, of points newly earned."""

    now: datetime
    earned: dict[int, list[Difference]] = field(default_factory=lambda: defaultdict(list))
    balance: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    levels: list[Telling] = field(default_factory=list)
    reached: list[Heard] = field(default_factory=list)
    """Levels, for other software that listens."""
    changes: list[Difference] = field(default_factory=list)
    """All, for other software that listens: it is told of old events too."""
    listened: bool = field(default_factory=lambda: somebody_listens(About.AWARDS))
    """Whether any does; asked before anything is written, as nothing is asked while PostgreSQL writes."""

    def add(self, differences: Iterable[Difference]) -> None:
        for one in differences:
            if self.listened:
                self.changes.append(one)
            if self.now - one.award.happened_at > NEWS:
                continue
            if one.taken:
                self.balance[one.former] -= one.taken
            if one.given:
                self.balance[one.award.person_id] += one.given
                self.earned[one.award.person_id].append(one)

    def tell(self) -> None:
        """Writes the messages. Who has no more than before is told nothing."""
        tell(self.levels, now=self.now)
        announce([heard for one in self.changes for heard in heard_of(one)] + self.reached, now=self.now)
        people = [person for person in self.earned if self.balance[person] > 0]
        if not people:
            return
        told = [one for person in people for one in self.earned[person][:TOLD]]
        names = {one.event.name for one in told if one.event}
        labels = {
            name: {"en": english, "zh": chinese}
            for name, english, chinese in EventType.objects.filter(name__in=names).values_list(
                "name", "label_en", "label_zh"
            )
        }
        ids = ids_of_awards(one.award.event_id for one in told)
        tell(
            [
                Telling(
                    person_id=person,
                    # The first transfer told of: no transfer is told of twice.
                    key=transfer_key(self.earned[person][0].award),
                    kind=EARNED,
                    content=self._content(person, labels, ids),
                )
                for person in people
            ],
            now=self.now,
        )

    def _content(self, person: int, labels: Mapping[str, Mapping[str, str]], ids: Mapping[Key, int]) -> dict[str, Any]:
        awards = []
        for one in self.earned[person][:TOLD]:
            award = one.award
            name = one.event.name if one.event else ""
            awards.append(
                {
                    "award": ids[award.event_id, award.rule],
                    "event": award.event_id,
                    "points": one.given,
                    "rule": award.rule,
                    "title": one.title,
                    "name": name,
                    "labels": labels.get(name, {}),
                    "object": one.event.object if one.event else "",
                    "happened_at": award.happened_at.astimezone(UTC).isoformat(),
                }
            )
        return {"points": self.balance[person], "awards": awards, "count": len(self.earned[person])}


def heard_of(one: Difference) -> list[Heard]:
    """What other software is told of an award: points given, points taken, or both where they pass to another."""
    award = one.award
    key = transfer_key(award)
    told = {"award": f"{award.event_id}/{award.rule}", "rule": award.rule, "title": one.title}
    found = []
    if one.taken:
        found.append(
            Heard(
                about=About.AWARDS, kind="points.taken_back", organization_id=one.former_company, key=f"{key}/taken",
                at=award.happened_at, person_id=one.former, data={**told, "points": one.taken},
            )
        )  # fmt: skip
    if one.given:
        event = {"name": one.event.name, "object": one.event.object} if one.event else {}
        found.append(
            Heard(
                about=About.AWARDS, kind="points.awarded", organization_id=award.company_id, key=key,
                at=award.happened_at, person_id=award.person_id, data={**told, "points": one.given, "event": event},
            )
        )  # fmt: skip
    return found
