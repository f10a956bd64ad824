"""What drills on a place's own history say of the method: thinking only.

Rollouts that never were are dealt out over days on which nobody had begun. Where the method claims an effect it raises
a false alarm; where the registered smallest effect is added it should find it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uptake.basics.canonical import fingerprint
from uptake.statistics.distributions import share_interval
from uptake.statistics.drills import DRILLS, LEAST_DAYS, LEAST_UNITS, Drill, drill
from uptake.statistics.panel import Panel
from uptake.statistics.result import rounded

WANTED_POWER = 0.80
COMPARING = frozenset({"staggered", "few_treated"})
"""Designs that estimate by what is drilled."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """How the real rollout was dealt out, which the pretended ones follow. smallest: in the metric's unit."""

    smallest: float
    alpha: float
    waiting_share: float
    waves: int


def cannot(history: Panel | None, design: str) -> str:
    """Why no drill can be run: `other_design`, `short_history`, `few_units`; empty where one can."""
    if design not in COMPARING:
        return "other_design"
    if history is None or history.never * history.step < LEAST_DAYS:
        return "short_history"
    return "few_units" if len(history.units) < LEAST_UNITS else ""


def sha_of(history: Panel, rollout: Rollout, drills: int = DRILLS) -> str:
    """What the answer hangs on: the same gives the same facts."""
    return fingerprint(
        {
            "history": history.sha(),
            "smallest": rollout.smallest,
            "alpha": rollout.alpha,
            "waiting": rollout.waiting_share,
            "waves": rollout.waves,
            "drills": drills,
        }
    )


def self_test(
    history: Panel, rollout: Rollout, *, drills: int = DRILLS, told: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """{"drills", "days", "units", "from", "to", "smallest", "alpha", "false_alarms", "power"}; the last two are
    {"share", "low", "high", "wanted", "holds"}.

    A share fails its mark where its whole exact 95 % interval lies on the wrong side of what is wanted.
    """
    found = drill(
        history,
        rollout.smallest,
        waiting_share=rollout.waiting_share,
        waves=rollout.waves,
        drills=drills,
        told=told,
    )
    return {
        "drills": found.drills,
        "days": history.never,
        "units": len(history.units),
        "from": str(history.days[0].astype("datetime64[D]")),
        "to": str(history.days[-1].astype("datetime64[D]")),
        "smallest": rollout.smallest,
        "alpha": rollout.alpha,
        "false_alarms": _share(found, found.false_alarms, rollout.alpha, at_most=True),
        "power": _share(found, found.power, WANTED_POWER, at_most=False),
    }


def failed(facts: dict[str, Any]) -> bool:
    """Whether a drill failed a mark of its own."""
    return any(name in facts and not facts[name]["holds"] for name in ("false_alarms", "power"))


def _share(found: Drill, share: float, wanted: float, *, at_most: bool) -> dict[str, Any]:
    low, high = share_interval(round(share * found.drills), found.drills)
    return {
        "share": rounded(share),
        "low": rounded(low),
        "high": rounded(high),
        "wanted": wanted,
        "holds": low <= wanted if at_most else high >= wanted,
    }
