"""Impact: how fast panels are evaluated, how often the intervals hold the truth, how often nothing is called something.

    python bench/impact.py [--panels 300] [--seeds 20] [--peers 12] [--only detectors] [--quick]

Panels come from the designed generator with a known truth; beside ours stand the naive before/after figure and, where
the peers' environment is there (UPTAKE_PEERS or .venv-peers), diff-diff on some of the same panels. Seconds are CPU.
Exits non-zero if a figure is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: more threads only wait for each other
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src")]

import numpy as np  # noqa: E402

from uptake.statistics.estimate import Estimate  # noqa: E402
from uptake.statistics.evaluate import evaluate  # noqa: E402
from uptake.statistics.gaming.deeds import Deeds, What  # noqa: E402
from uptake.statistics.gaming.detectors import bunches, divergence, signs  # noqa: E402
from uptake.statistics.gaming.rings import rings  # noqa: E402
from uptake.statistics.gaming.simulate import (  # noqa: E402
    KINDS,
    simulated_amounts,
    simulated_people,
    simulated_rings,
    simulated_windows,
)
from uptake.statistics.group_time import group_time_average  # noqa: E402
from uptake.statistics.imputation import Imputation  # noqa: E402
from uptake.statistics.panel import Panel  # noqa: E402
from uptake.statistics.plan import Kind, Plan  # noqa: E402
from uptake.statistics.result import Verdict  # noqa: E402
from uptake.statistics.simulate import World, simulated  # noqa: E402

WORLD = World()
NULL = World(effect=0.0)
NULLS = 3
"""Times as many panels without an effect as with one: a share near 5 % needs more of them."""
missed: list[str] = []


def told(text: str, holds: bool | None = None) -> None:
    if holds is False:
        missed.append(text)
    print(text + ("" if holds is None else "  ok" if holds else "  MISSED"), flush=True)


def seconds(work: Callable[[], object], runs: int = 3) -> float:
    """The least CPU time of some runs."""
    best = math.inf
    for _ in range(runs):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def naive(panel: Panel) -> Estimate:
    """Before/after over days of begun units, as a dashboard would: the mean change and its error over unit-days."""
    rows = panel.outcome[panel.ever]
    under = panel.under[panel.ever]
    before, after = rows[~under], rows[under]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    error = math.sqrt(before.var(ddof=1) / len(before) + after.var(ddof=1) / len(after))
    return Estimate(float(after.mean() - before.mean()), error, len(before) + len(after) - 2)


def speed() -> None:
    print("\n## Speed (CPU)\n")
    for departments, limit in ((60, 0.5), (400, 3.0)):
        for gaps in (0.0, 0.05):
            panel, _ = simulated(World(departments=departments, missing=gaps), 1)
            took = seconds(lambda panel=panel: Imputation(panel).average())  # type: ignore[misc]
            told(f"{departments} x 180, {gaps:.0%} missing: {took:.3f} s (at most {limit} s)", took <= limit)
    for departments in (60, 400):
        panel, _ = simulated(World(departments=departments), 1)
        took = seconds(lambda panel=panel: evaluate(panel, Plan("m", Kind.RATE, 0.02)), runs=1)  # type: ignore[misc]
        told(
            f"whole report, {departments} x 180, all checks, 500 permutations: {took:.1f} s (at most 60 s)", took <= 60
        )


def coverage(panels: int, peers: int) -> None:
    print(
        f"\n## Coverage over {panels} panels of 60 x 180, true effect {WORLD.effect:+.3f}; false alarms where it is 0\n"
    )
    methods: dict[str, Callable[[Panel], Estimate]] = {
        "imputation, jackknife (ours)": lambda panel: Imputation(panel).average().estimate,
        "group-time, jackknife (ours, second line)": group_time_average,
        "naive before/after": naive,
    }
    print("coverage: of the mean effect in departments like these; of these: of the mean effect in these very ones,")
    print("which the interval holds more often, as it also allows for other departments having been taken\n")
    print(f"{'':44} {'bias':>9} {'se':>8} {'coverage':>9} {'of these':>12} {'false alarms':>13}")
    for name, method in methods.items():
        ours = name.startswith("imputation")
        bias, errors, held, here, alarms = [], [], 0, 0, 0
        for seed in range(panels):
            panel, sample = simulated(WORLD, 10_000 + seed)
            found = method(panel)
            bias.append(found.value - sample)
            errors.append(found.se)
            held += found.low <= WORLD.effect <= found.high
            here += found.low <= sample <= found.high
        nulls = NULLS * panels if ours else panels
        for seed in range(nulls):
            alarms += method(simulated(NULL, 50_000 + seed)[0]).excludes_zero
        share, false = held / panels, alarms / nulls
        line = (
            f"{name:44} {np.mean(bias):+9.4f} {np.mean(errors):8.4f} {share:9.1%} {here / panels:12.1%} {false:13.1%}"
        )
        told(line, (0.93 <= share <= 0.97 and false <= 0.06) if ours else None)
    if peers:
        beside_diff_diff(peers)


def _average(panel: Panel) -> object:
    return Imputation(panel).average()


def beside_diff_diff(count: int) -> None:
    python = os.environ.get("UPTAKE_PEERS", str(HERE.parent / ".venv-peers" / "bin" / "python"))
    if not Path(python).exists():
        print("diff-diff: no environment of peers here; not compared")
        return
    made = [simulated(WORLD, 10_000 + seed) for seed in range(count)]
    with tempfile.TemporaryDirectory() as room:
        file = Path(room) / "panels.npz"
        arrays: dict[str, Any] = {f"outcome{n}": panel.outcome for n, (panel, _) in enumerate(made)}
        arrays |= {f"adopted{n}": panel.adopted for n, (panel, _) in enumerate(made)}
        np.savez(file, count=np.array(count), **arrays)
        run = subprocess.run(
            [python, str(HERE / "peers" / "impact.py"), str(file), str(min(count, 2))],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if run.returncode:
        print("diff-diff did not run:", run.stderr.strip().splitlines()[-1:])
        return
    answers = json.loads(run.stdout.strip().splitlines()[-1])
    apart, ratio, slower, held = [], [], [], 0
    for (panel, truth), answer in zip(made, answers, strict=True):
        found = Imputation(panel).average().estimate
        value, error, low, high = answer["imputation"]
        apart.append(abs(found.value - value))
        ratio.append(error / found.se)
        held += low <= truth <= high
        slower.append(answer["imputation_seconds"] / max(seconds(partial(_average, panel), 1), 1e-9))
    told(f"diff-diff ImputationDiD on {count} of them: furthest apart {max(apart):.1e}", max(apart) < 2e-6)
    print(
        f"  its error is {np.mean(ratio):.2f} of ours, covers {held} of {count}, CPU {np.median(slower):.0f} times ours"
    )
    second = [
        abs(group_time_average(panel).value - answer["group_time"][0])
        for (panel, _), answer in zip(made, answers, strict=True)
        if "group_time" in answer
    ]
    if second:
        print(f"  CallawaySantAnna: furthest from our second line {max(second):.1e}")


def verdicts(panels: int) -> None:
    count = max(panels // 5, 10)
    print(
        f"\n## Verdicts of the whole evaluation over {count} panels each (M = 2 percentage points, 39 permutations)\n"
    )
    for name, world in (("effect", WORLD), ("nothing", NULL), ("drift alone", World(effect=0.0, drift=0.02))):
        said: dict[str, int] = {}
        for seed in range(count):
            verdict = evaluate(simulated(world, 90_000 + seed)[0], Plan("m", Kind.RATE, 0.02), draws=39).verdict
            said[verdict.value] = said.get(verdict.value, 0) + 1
        claims = (said.get(Verdict.INCREASE, 0) + said.get(Verdict.DECREASE, 0)) / count
        told(
            f"{name}: {dict(sorted(said.items()))}",
            claims <= 0.06 + 1.96 * math.sqrt(0.06 * 0.94 / count) if name == "nothing" else None,
        )


def detectors(seeds: int) -> None:
    """Seeds from 700 000 on, never used while thresholds were chosen (those were 100 to 500)."""
    print(f"\n## Detectors: {seeds} fresh seeds of 240 people, 60 days, 30 gamers of 6 kinds; then others beside\n")
    tally = {name: Tally() for name in ("A", "A2", "B", "C", "D", "F", "G", "H", "R")}
    all_of, by_points, took = Tally(), Tally(), []
    top = night = tops = nights = 0
    for seed in range(700_000, 700_000 + seeds):
        world = simulated_people(seed)
        started = time.process_time()
        found = signs(world.deeds)
        took.append((time.process_time() - started) / len(world.deeds.at) * 130_000)
        gamers, flagged = set(world.gamers), {one.person for one in found}
        all_of.add(flagged, gamers, 240)
        for name in KINDS:
            # Of one detector: whom it was planted for; another gamer it names is not counted against it.
            own = {one.person for one in found if one.detector == name}
            meant = {person for person, kind in world.gamers.items() if kind == name}
            tally[name].add(own - (gamers - meant), meant, 240)
        by_points.add(most_points(world.deeds, len(world.deeds.role)), gamers, 240)
        top, night = top + len(flagged & world.top), night + len(flagged & world.night)
        tops, nights = tops + len(world.top), nights + len(world.night)
        amounts = simulated_amounts(seed)
        bunched = bunches(amounts.values, amounts.threshold, 2.0, amounts.role)
        tally["G"].add({one.person for one in bunched}, set(amounts.padders), len(amounts.role))
        months = simulated_windows(seed)
        hollow = {one.person for one in divergence(months.points, months.work, months.role)}
        tally["H"].add(hollow, set(months.hollow), len(months.role))
        given, department, planted = simulated_rings(seed)
        ringed = {one for ring in rings(given, department) for one in ring.people}
        tally["R"].add(ringed, set(frozenset[int]().union(*planted)), len(department))
    print(f"{'':34} {'precision':>10} {'recall':>8} {'honest flagged':>15}")
    for name, one in tally.items():
        told(one.line(f"detector {name}"), one.holds)
    told(all_of.line("A to F together, people flagged"), all_of.holds)
    told(by_points.line("naive: points a day, z above 2"))
    print(f"top performers flagged {top} of {tops}, night shift {night} of {nights}")
    print(f"CPU for 130 000 events: {np.median(took):.2f} s")
    clean = []
    for seed in range(800_000, 800_000 + seeds):
        plain = len({one.person for one in signs(simulated_people(seed, gamers=0).deeds)})
        amounts, months = simulated_amounts(seed, padders=0), simulated_windows(seed, hollow=0)
        plain += len(bunches(amounts.values, amounts.threshold, 2.0, amounts.role))
        plain += len(divergence(months.points, months.work, months.role))
        clean.append(plain)
    told(f"without gamers: mean {np.mean(clean):.2f}, most {max(clean)} of 240 people", bool(np.mean(clean) <= 2.4))
    for extra in (0.4, 0.8, 0.0):
        one = Tally()
        for seed in range(700_000, 700_000 + min(seeds, 12)):
            given, department, planted = simulated_rings(seed, extra=extra)
            flagged = {one for ring in rings(given, department) for one in ring.people}
            one.add(flagged, set(frozenset[int]().union(*planted)), len(department))
        print(f"rings, {extra} more a week: {one.recall:.0%} of their people found, {one.wrong} others")


@dataclass
class Tally:
    """Who was flagged against who was planted, over seeds."""

    right: int = 0
    wrong: int = 0
    planted: int = 0
    honest: int = 0

    def add(self, flagged: set[int], planted: set[int], people: int) -> None:
        self.right += len(flagged & planted)
        self.wrong += len(flagged - planted)
        self.planted += len(planted)
        self.honest += people - len(planted)

    @property
    def precision(self) -> float:
        return self.right / max(self.right + self.wrong, 1)

    @property
    def recall(self) -> float:
        return self.right / max(self.planted, 1)

    @property
    def holds(self) -> bool:
        return self.precision >= 0.95 and self.recall >= 0.95 and self.wrong <= 0.01 * self.honest

    def line(self, name: str) -> str:
        return f"{name:34} {self.precision:10.1%} {self.recall:8.1%} {self.wrong / self.honest:15.2%}"


def most_points(deeds: Deeds, people: int) -> set[int]:
    """What a dashboard would do: two points an order, one a log-in, and who is two deviations above the mean."""
    worth = np.where(deeds.what == What.CREATE, 2.0, np.where(deeds.what == What.LOGIN, 1.0, 0.0))
    points = np.bincount(deeds.person, weights=worth, minlength=people)
    return {int(one) for one in np.flatnonzero(points > points.mean() + 2 * points.std())}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--panels", type=int, default=300)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--peers", type=int, default=12)
    options.add_argument("--only", choices=("speed", "coverage", "verdicts", "detectors"), help="one part")
    options.add_argument("--quick", action="store_true", help="a tenth of everything")
    chosen = options.parse_args()
    part = 10 if chosen.quick else 1
    parts: dict[str, Callable[[], None]] = {
        "speed": speed,
        "coverage": lambda: coverage(chosen.panels // part, chosen.peers),
        "verdicts": lambda: verdicts(chosen.panels // part),
        "detectors": lambda: detectors(max(chosen.seeds // part, 2)),
    }
    for name, run in parts.items():
        if chosen.only in (None, name):
            run()
    print("\nmissed: " + "; ".join(missed) if missed else "\nall figures held")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
