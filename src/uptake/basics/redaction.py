"""Takes secrets out of text before it is logged, stored or shown."""

from __future__ import annotations

import re

HIDDEN = "•••"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Keys of the intake API, wherever they stand.
    (re.compile(r"\bupk_[A-Za-z0-9_\-]+"), HIDDEN),
    # Authorization: Bearer x, and the same inside the repr of a dict or of ASGI's header tuples.
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~\-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)(authorization['\"]?\s*[:=,]\s*b?['\"]?)(?!bearer|basic)[^\s'\",;]+"), rf"\1{HIDDEN}"),
    # password=x, "new_password": "x", secret-key: x, csrfmiddlewaretoken=x …
    (
        re.compile(
            r"(?i)([a-z_\-]*(?:password|passwd|secret|token|api[_-]?key|sessionid)[a-z0-9_\-]*['\"]?\s*[:=]\s*b?)"
            r"('[^']*'|\"[^\"]*\"|[^\s'\",;&)]+)"
        ),
        rf"\1{HIDDEN}",
    ),
    # postgresql://user:x@host
    (re.compile(r"(?i)\b([a-z][a-z0-9+.\-]*://[^\s:/@]*:)[^\s/@]+@"), rf"\1{HIDDEN}@"),
    # Addresses that are a secret themselves: of a password reset, of a shared report, of stopping a mail.
    (re.compile(r"(/(?:reset/key|impact/shared|mails/stop)/)[^/\s?\"']+"), rf"\1{HIDDEN}"),
)


def redact(text: str) -> str:
    """The text with keys, passwords, tokens and secret addresses replaced by •••."""
    for pattern, kept in _PATTERNS:
        text = pattern.sub(kept, text)
    return text
