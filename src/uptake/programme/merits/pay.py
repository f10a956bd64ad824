"""Pays prizes: points for many people at once from one account, which are told of them; no merit of a date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from uptake.directory.models import Organization
from uptake.ledger.grant import Grant, grant
from uptake.notify.announce import News, announce
from uptake.notify.models import About
from uptake.notify.tell import Telling, tell
from uptake.programme.lot_dates import last_date
from uptake.programme.merits.keep_boards import BoardClock

ONE_DAY = timedelta(days=1)


def pay(
    company: Organization,
    points: Mapping[int, int],
    *,
    cause: str,
    paid_from: str,
    title: Mapping[str, str],
    kind: str,
    now: datetime,
) -> None:
    """Grants each person their points under the key `<cause>/<person>`; they expire as the programme says.

    `title`: {"name_en", "name_zh"} of what it is for. Raises NotEnoughPoints.
    """
    clock = BoardClock(company)
    today = clock.clock.date_of(now)
    programme = clock.programme_on(today)
    last = last_date(programme, programme.expires, today)
    expires_at = clock.clock.start_of(last + ONE_DAY) if last else None
    explanation: dict[str, Any] = {"prize": cause, **title}
    grants = [
        Grant(
            book=company.pk,
            key=f"{cause}/{person}",
            lot=f"{cause}/{person}",
            owner=str(person),
            points=some,
            cause=cause,
            happened_at=now,
            available_from=now,
            last_date=last,
            expires_at=expires_at,
            inactive_days=programme.expires.inactive_days,
            reason="prize",
            explanation=explanation,
            paid_from=paid_from,
        )
        for person, some in sorted(points.items())
    ]
    grant(grants, now=now)
    labels = {"en": title.get("name_en") or title.get("name_zh"), "zh": title.get("name_zh") or title.get("name_en")}
    tell(
        [
            Telling(
                person_id=person,
                key=f"{cause}/{person}",
                kind=kind,
                content={"points": some, "count": 1, "awards": [{"title": labels["en"], "labels": labels}]},
            )
            for person, some in sorted(points.items())
        ],
        now=now,
    )
    announce(
        [
            News(
                about=About.GIVEN, kind="points.prize", organization_id=company.pk, key=f"{cause}/{person}", at=now,
                person_id=person, data={"points": some, "given": f"{cause}/{person}", **title},
            )
            for person, some in sorted(points.items())
        ],
        now=now,
    )  # fmt: skip
