"""Letters of a PDF: Latin in Helvetica, all else in a Chinese font; both are in every reader, nothing is embedded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

from uptake.web import numbers

LATIN: Final = "Helvetica"
BOLD: Final = "Helvetica-Bold"
CHINESE: Final = "STSong-Light"
SHARED: Final = "“”‘’…·—"
MINUS, DASH = "\u2212", "\u2013"
"""A true minus is not among the letters of Helvetica there; the dash looks the same."""


@lru_cache(maxsize=1)
def make_ready() -> None:
    """Tells ReportLab of the Chinese font."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


def runs_of(text: str, *, bold: bool = False) -> Iterator[tuple[str, str]]:
    """(font, text) of each stretch of one font; spaces stay with what stands before them."""
    latin, is_latin_here = BOLD if bold else LATIN, _is_latin_among_chinese if numbers.chinese() else _is_latin
    for is_latin, letters in groupby(text.replace(MINUS, DASH), key=is_latin_here):
        yield (latin if is_latin else CHINESE), "".join(letters)


def marked_up(text: str, *, bold: bool = False) -> str:
    """The text as ReportLab's paragraphs read it."""
    return "".join(f'<font name="{font}">{escape(part)}</font>' for font, part in runs_of(text, bold=bold))


def width_of(text: str, size: float) -> float:
    """In points."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    make_ready()
    return float(sum(stringWidth(part, font, size) for font, part in runs_of(text)))


@lru_cache(maxsize=4096)
def _is_latin(letter: str) -> bool:
    """Whether Helvetica has it."""
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _is_latin_among_chinese(letter: str) -> bool:
    """Quotation marks and dots that both scripts have are as wide as a Chinese letter in Chinese text."""
    return letter not in SHARED and _is_latin(letter)
