"""The script as it is served: made by the front-end build, packed once, known by its hash."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent
MADE = WEB / "static" / "vendor" / "collector.js"
SOURCE = WEB / "frontend" / "collector.js"


@dataclass(frozen=True, slots=True)
class Script:
    """The bytes, plain and packed, and their hash."""

    plain: bytes
    packed: bytes
    hash: str


@cache
def the_script() -> Script:
    """As built; where nothing was built yet, as written."""
    plain = (MADE if MADE.exists() else SOURCE).read_bytes()
    return Script(plain, gzip.compress(plain, 9, mtime=0), sha256(plain).hexdigest()[:32])
