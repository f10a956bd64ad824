"""Text that people wrote: plain, with its line breaks and with links one can follow; nothing in it is markup."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]}，。；：！？）】」』]")

ENDED = re.compile(r"[.!?:;,。！？：；，]$")


@register.filter
def in_one_line(text: str) -> str:
    """The lines behind each other, for previews: a line that ends no sentence is parted from the next by a point."""
    said = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if said:
            said += ("" if said[-1] > "\u3000" else " ") if ENDED.search(said) else " · "
        said += line
    return said


@register.filter
def prose(text: str) -> SafeString:
    """Escaped, line breaks kept; http and https addresses become links that pass nothing on."""
    said, at = [], 0
    for found in LINK.finditer(text):
        address = escape(found.group())
        said += [escape(text[at : found.start()]), f'<a href="{address}" rel="nofollow noopener ugc">{address}</a>']
        at = found.end()
    said.append(escape(text[at:]))
    return mark_safe("".join(said).replace("\n", "<br>"))  # noqa: S308 - every part was escaped above
