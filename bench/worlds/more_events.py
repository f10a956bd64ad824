"""MORE events put straight into the activity files of an installation whose directory many_events.py made.

Run by bench/pages.py after it. The record itself keeps its few events: only what pages ask the engine for is larger.
"""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from uptake.activity.columns import bucket_of
from uptake.activity.incoming import Rows, row_numbers
from uptake.activity.periods import day_number
from uptake.directory.models import Membership
from uptake.events.models import EventType
from uptake.insight.feed.where import activity_log, buckets, store

DAYS = 120
HOUR, DAY = 3_600_000_000, 86_400_000_000


def more(events: int) -> None:
    """People of uneven zeal in their own company and department, mostly in working hours of working days."""
    chance = np.random.default_rng(7)
    held = Membership.objects.filter(organization__kind="department").order_by("person_id")
    members = list(held.values_list("person_id", "organization__company_id", "organization_id"))
    person, company, department = (np.array(column, np.int32) for column in zip(*members, strict=True))
    firms = sorted({int(firm) for firm in company})
    source = 1 + np.searchsorted(firms, company).astype(np.int16)
    names = list(EventType.objects.order_by("pk").values_list("name", flat=True))
    zeal = chance.pareto(1.5, len(person)) + 0.1
    share = zeal / zeal.sum()
    first = (datetime.now(UTC) - timedelta(days=DAYS - 1)).date()
    weights = np.array([0.15 if (first + timedelta(days=day)).weekday() > 4 else 1.0 for day in range(DAYS)])
    texts = {"event": names, "source": [f"erp-{number}" for number in range(len(firms))]}
    number = 0
    with store().writing(buckets=buckets()) as writer:
        position = dict(writer.position)
        writer.clear(buckets())
        own = bucket_of(person, writer.draft.buckets)
        for bucket in range(writer.draft.buckets):
            here = np.flatnonzero(own == bucket)
            many = round(events * share[here].sum())
            who = np.sort(chance.choice(here, many, p=share[here] / share[here].sum()))
            day = day_number(first) + chance.choice(DAYS, many, p=weights / weights.sum())
            columns = {
                "event_id": number + np.arange(many, dtype=np.int64),
                "person": person[who],
                "happened_at": day * DAY + chance.integers(8 * HOUR, 18 * HOUR, many),
                "business_day": day.astype(np.int32),
                "company": company[who],
                "department": department[who],
                "event": (1 + chance.random(many) ** 2 * len(names)).astype(np.int16),
                "source": source[who],
                "object": np.zeros(many, np.int32),
            }
            number += many
            rest = pa.array([""], pa.large_string()).take(row_numbers(np.zeros(many, np.int64)))
            writer.fill(bucket, Rows(columns, rest), texts)
        writer.publish(position=position)


if activity_log().snapshot().rows < MORE:  # type: ignore[name-defined]  # noqa: F821 - set by the caller
    more(MORE)  # type: ignore[name-defined]  # noqa: F821
    activity_log().catch_up()
print(json.dumps(activity_log().snapshot().rows))
