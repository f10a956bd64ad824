"""What Matomo trackers send is read as it was meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from uptake.connectors.cases import run

SAMPLES = sorted((Path(__file__).parent.parent / "samples").glob("*.json"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_sample_is_read_as_it_was_meant(sample: Path) -> None:
    assert run(json.loads(sample.read_text(encoding="utf-8"))) == []
