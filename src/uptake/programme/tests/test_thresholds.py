"""From which amounts on rules pay: at least so much, and steps; no deadline, and nothing that always holds."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from uptake.programme.rulebook_reading import parse_rulebook
from uptake.programme.thresholds import thresholds_of

pytestmark = pytest.mark.once
DAY = date(2026, 5, 14)


def rule(**more: Any) -> dict[str, Any]:
    told = {"rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.created", "points": 5}
    return {"rules": [told | more]}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"when": [{"fact": "lines", "op": "gte", "value": 5}]}, [("lines", 5)]),
        ({"when": [{"fact": "lines", "op": "gt", "value": 5}]}, [("lines", 6)]),
        ({"when": [{"fact": "minutes", "op": "lte", "value": 120}]}, []),
        ({"when": [{"fact": "lines", "op": "gte", "value": 1}]}, []),
        (
            {"points": {"per": "lines", "steps": [{"at_least": 1, "points": 2}, {"at_least": 10, "points": 5}]}},
            [("lines", 10)],
        ),
        ({"when": [{"fact": "lines", "op": "gte", "value": 5}], "until": "2026-02-01"}, []),
    ],
)
def test_what_amounts_may_bunch_at(more: dict[str, Any], found: list[tuple[str, float]]) -> None:
    told = thresholds_of(parse_rulebook(rule(**more)), DAY)

    assert [(one.fact, one.at) for one in told] == found
    assert all(one.names == {"order.created"} for one in told)
