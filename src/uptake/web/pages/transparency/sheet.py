"""The monthly report as a PDF. Chinese is set in a font that every reader of PDFs has, so nothing is embedded."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from uptake.web.pages.transparency.words import Section

CHINESE = "STSong-Light"
ACCENT, LINE, DIM = "#0B6E63", "#D5DBDA", "#5B6867"
A_LETTER = 4.8
PADDING = 6.0
MOST_OF_A_NUMBER = 24
"""Widths in points, and letters."""


@lru_cache(maxsize=1)
def _fonts() -> str:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
    return CHINESE


def pdf_of(title: str, subtitle: str, sections: Sequence[Section], foot: str) -> bytes:
    """The pages, A4. Letters of other scripts than Latin and Chinese are not in the font."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    font = _fonts()

    def style(size: float, color: str = "#142120", align: int = 0) -> Any:
        return ParagraphStyle(
            f"s{size}{color}{align}", fontName=font, fontSize=size, leading=size * 1.45, textColor=HexColor(color),
            alignment=align, wordWrap="CJK",
        )  # fmt: skip

    def paragraph(text: str, size: float, color: str = "#142120", align: int = 0) -> Any:
        return Paragraph(escape(text), style(size, color, align))

    flow: list[Any] = [paragraph(title, 18), paragraph(subtitle, 10, DIM), Spacer(0, 6 * mm)]
    width = A4[0] - 36 * mm
    for section in sections:
        head = [paragraph(section.title, 12, ACCENT), paragraph(section.lead, 8.5, DIM), Spacer(0, 1.5 * mm)]
        if not section.rows:
            flow.append(KeepTogether([*head, paragraph(section.empty, 9), Spacer(0, 5 * mm)]))
            continue
        # One column needs no head: the title says what stands in it.
        heads = [[paragraph(name, 8, DIM, 2 if number else 0) for name, number in section.columns]]
        cells = heads if len(section.heads) > 1 else []
        cells += [[paragraph(text, 9, align=2 if number else 0) for text, number in row] for row in section.cells]
        table = Table(cells, colWidths=_widths(section, width), repeatRows=int(len(section.heads) > 1))
        table.setStyle(
            TableStyle(
                [
                    ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(LINE)),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("TOPPADDING", (0, 0), (-1, -1), 2),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ]
            )
        )
        flow += [KeepTogether(head) if len(cells) > 12 else Spacer(0, 0)]
        flow += [table] if len(cells) > 12 else [KeepTogether([*head, table])]
        flow.append(Spacer(0, 5 * mm))

    def page(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(font, 8)
        canvas.setFillColor(HexColor(DIM))
        canvas.drawString(18 * mm, 10 * mm, foot)
        canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, str(document.page))
        canvas.restoreState()

    target = io.BytesIO()
    SimpleDocTemplate(
        target, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=16 * mm, bottomMargin=18 * mm,
        title=title, author="Uptake", invariant=True,
    ).build(flow, onFirstPage=page, onLaterPages=page)  # fmt: skip
    return target.getvalue()


def _widths(section: Section, width: float) -> list[float]:
    """Numbers and heads never break; the rest is for the texts, the longest of which gets the most."""
    least, more = [], []
    for column, head in enumerate(section.heads):
        longest = max((_long(row[column]) for row in section.rows), default=1)
        if column in section.numeric:
            least.append(max(_long(head), min(longest, MOST_OF_A_NUMBER)) * A_LETTER + 2 * PADDING)
            more.append(0.0)
        else:
            least.append(_long(head) * A_LETTER + 2 * PADDING)
            more.append(float(min(60, max(12, longest))))
    left = width - sum(least)
    if left < 0 or not sum(more):
        return [width * one / sum(least) for one in least]
    return [one + left * weight / sum(more) for one, weight in zip(least, more, strict=True)]


def _long(text: str) -> int:
    """In letters; a Chinese character takes the room of two."""
    return sum(2 if letter > "\u2e7f" else 1 for letter in text)
