"""A mail's plain text as HTML: its paragraphs, its line breaks and its addresses, and nothing else."""

from __future__ import annotations

import re
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

ADDRESS: Final = re.compile(r"https?://[^\s<>\"'）。，；、]+[^\s<>\"'）。，；、.,;:!?)]")


def paragraphs(text: str) -> SafeString:
    """The text between tags of its paragraphs; every sign of it is escaped."""
    blocks = [block for block in re.split(r"\n{2,}", text.strip()) if block.strip()]
    return mark_safe("\n".join(f"<p>{_linked(block.strip())}</p>" for block in blocks))  # noqa: S308 - escaped below


def page(subject: str, text: str, foot: str) -> str:
    """A whole page for readers of mail, in the active language."""
    return (
        f'<!doctype html>\n<html lang="{escape(get_language() or "en")}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(subject)}</title></head><body>\n{paragraphs(text)}\n<hr>\n{paragraphs(foot)}\n</body></html>\n"
    )


def _linked(block: str) -> str:
    found, end = [], 0
    for match in ADDRESS.finditer(block):
        address = escape(match[0])
        found += [escape(block[end : match.start()]), f'<a href="{address}">{address}</a>']
        end = match.end()
    found.append(escape(block[end:]))
    return "".join(found).replace("\n", "<br>\n")
