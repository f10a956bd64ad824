"""Facts as stored JSON: exact both ways. Numbers with a point come back as Decimal, never as binary floats."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from uptake.basics.canonical import canonical_json


class FactsEncoder(json.JSONEncoder):
    """Writes canonical JSON: sorted keys, numbers in plain decimal notation."""

    def encode(self, o: Any) -> str:
        return canonical_json(o).decode()


class FactsDecoder(json.JSONDecoder):
    """Reads numbers as int or Decimal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": Decimal})
