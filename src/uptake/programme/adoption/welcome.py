"""The bonus of the first weeks, as parts of a rulebook file: one multiplier by tenure, one rule for the guide. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

LINEAGE: Final = "welcome_guide"
MULTIPLIER: Final = "welcome_weeks"


def with_welcome(
    rulebook: Mapping[str, Any], *, since: date, title: str, days: int = 28, factor: int = 2, points: int = 30
) -> dict[str, Any]:
    """The file with the bonus: `factor` times what is earned in the first `days` since joining, and `points` once for
    finishing the guide. A part that is there already is left as it is, so doing it twice is doing it once."""
    rules = list(rulebook.get("rules", []))
    multipliers = list(rulebook.get("multipliers", []))
    if not any(one.get("rule") == LINEAGE for one in rules):
        rules.append(
            {
                "rule": LINEAGE,
                "version": 1,
                "from": since.isoformat(),
                "on": "guide.finished",
                "points": points,
                "cap": [{"times": 1, "every": "ever"}],
                "title": title,
            }
        )
    if not any(one.get("multiplier") == MULTIPLIER for one in multipliers):
        multipliers.append(
            {
                "multiplier": MULTIPLIER,
                "factor": factor,
                "from": since.isoformat(),
                "when": [{"person": "tenure_days", "op": "lt", "value": days}],
            }
        )
    return {**rulebook, "rules": rules, "multipliers": multipliers}
