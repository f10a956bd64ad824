"""Scripts for pages of other sites as served: made by the front-end build, packed once, known by their hash."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent
MADE = WEB / "static" / "vendor" / "collector.js"


@dataclass(frozen=True, slots=True)
class Script:
    """The bytes, plain and packed, and their hash."""

    plain: bytes
    packed: bytes
    hash: str


@cache
def script_of(name: str) -> Script:
    """The script of this file name as built; where nothing was built yet, as written."""
    made = WEB / "static" / "vendor" / name
    plain = (made if made.exists() else WEB / "frontend" / name).read_bytes()
    return Script(plain, gzip.compress(plain, 9, mtime=0), sha256(plain).hexdigest()[:32])


def the_script() -> Script:
    """The collector."""
    return script_of(MADE.name)
