"""Records that real systems gave, kept beside their presets as samples."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from uptake.connectors.pull.presets import HERE
from uptake.connectors.pull.protocol import Record


def recording(name: str) -> dict[str, Any]:
    """The samples of a preset: {"streams": {stream: [{"id", "at", "raw"}]}, …}."""
    kept: dict[str, Any] = json.loads(Path(HERE / name / "samples.json").read_text(encoding="utf-8"))
    return kept


def record_of(row: dict[str, Any]) -> Record:
    """A kept record, as it came."""
    return Record(row["raw"], row["id"], datetime.fromisoformat(row["at"]) if row["at"] else None)
