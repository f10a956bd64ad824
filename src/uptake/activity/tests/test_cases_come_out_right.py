"""Case files: events in, numbers out. Our own, and where they are at hand those the design brings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from uptake.activity.analyses import ANALYSES
from uptake.activity.cases import run

OWN = Path(__file__).parent / "cases"
DESIGN = Path(__file__).parents[5] / "shared" / "design" / "cases" / "activity"
BUILT = {analysis.name for analysis in ANALYSES}


def _case(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return case


@pytest.mark.parametrize("path", sorted(OWN.glob("*.json")), ids=lambda path: path.stem)
def test_our_cases(path: Path) -> None:
    case = _case(path)

    assert run(case) == []
    assert case["id"] == path.stem


@pytest.mark.skipif(not DESIGN.is_dir(), reason="the design's cases lie beside the repository, and are not here")
def test_the_cases_of_the_design() -> None:
    differing = {
        path.stem: found
        for path in sorted(DESIGN.glob("*.json"))
        if _case(path)["analysis"] in BUILT and (found := run(_case(path)))
    }

    assert differing == {}


def test_a_wrong_number_is_told() -> None:
    case = _case(OWN / "retention_month.json")
    case["expected"]["matrix"][0][1] += 1

    assert run(case) != []
