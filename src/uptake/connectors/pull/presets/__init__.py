"""Shipped declarations, a folder each: `preset.yaml`, `samples.json` of what the system gave, and a README."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from uptake.connectors.pull.declaration import Declaration, read_yaml

HERE = Path(__file__).parent
NAMES = (
    "tryton",
    "s4",
    "sap_v2",
    "fusion",
    "oracle_ebs",
    "business_central",
    "odoo",
    "erpnext",
    "redmine",
    "jiandaoyun",
    "kingdee",
    "yonsuite",
    "rest",
    "odata",
    "sql",
    "sql_figures",
    "folder",
)
"""In the order in which they are offered."""


@dataclass(frozen=True)
class Preset:
    """A shipped declaration and its text."""

    name: str
    text: str
    declaration: Declaration

    def words(self, language: str, field: str = "title") -> str:
        """Its title, or what it is `about`, in a language."""
        said = getattr(self.declaration, field)
        return said.get(language) or said.get("en") or self.name


@lru_cache(maxsize=64)
def preset(name: str) -> Preset:
    """A shipped declaration; KeyError."""
    if name not in NAMES:
        raise KeyError(name)
    text = (HERE / name / "preset.yaml").read_text(encoding="utf-8")
    return Preset(name, text, read_yaml(text)[0])
