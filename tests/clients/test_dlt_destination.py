"""The destination for dlt sends batches of 5,000; a load that is run again doubles nothing, a bad row is told."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Receiver

pytestmark = pytest.mark.once
FILE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "dlt_destination.py"


def test_a_load_that_is_run_again_doubles_nothing_and_a_bad_row_is_told(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPTAKE_ADDRESS", receiver.server.url)
    monkeypatch.setenv("UPTAKE_KEY", receiver.key)
    spec = importlib.util.spec_from_file_location("dlt_destination", FILE)
    assert spec is not None
    assert spec.loader is not None
    example: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    at = datetime.now(UTC)
    rows = [{"event": "load.done", "key": f"d-{n}", "at": at, "facts": {"n": n}, "_dlt_id": "x"} for n in range(10_000)]

    for _run in range(2):
        for start in (0, 5_000):
            example.send(rows[start : start + 5_000], {"name": "happenings"})
    with pytest.raises(example.NotTaken, match="d-bad: event is missing"):
        example.send([{"key": "d-bad", "at": at}, {**rows[0], "key": "d-good"}])

    held = receiver.held("load.done")
    assert len(held) == 10_001
    assert len(set(held)) == 10_000
