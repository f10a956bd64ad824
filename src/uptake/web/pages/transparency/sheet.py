"""Reports as a PDF: sections of pictures and tables, what matters most large on the first page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from uptake.web import numbers
from uptake.web.pages.transparency.drawing import drawing_of
from uptake.web.pages.transparency.letters import CHINESE, LATIN, make_ready, marked_up, runs_of
from uptake.web.pages.transparency.words import Section

ACCENT, LINE, DIM = "#0B6E63", "#D5DBDA", "#5B6867"
A_LETTER = 4.8
PADDING = 6.0
MOST_OF_A_NUMBER = 24
"""Widths in points, and letters."""


@dataclass(frozen=True)
class Lead:
    """What the first page says in large letters: a word, a sentence, and up to three figures."""

    word: str
    sentence: str
    figures: Sequence[tuple[str, str, str]] = ()
    """(label, figure, what stands under it)."""
    note: str = ""
    """What to know before believing it."""


def pdf_of(title: str, subtitle: str, sections: Sequence[Section], foot: str, lead: Lead | None = None) -> bytes:
    """The pages, A4. Letters of other scripts than Latin and Chinese are not in the font."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    make_ready()
    chinese = numbers.chinese()

    def style(size: float, color: str = "#142120", align: int = 0) -> Any:
        return ParagraphStyle(
            f"s{size}{color}{align}", fontName=CHINESE if chinese else LATIN, fontSize=size, leading=size * 1.45,
            textColor=HexColor(color), alignment=align, wordWrap="CJK" if chinese else None,
        )  # fmt: skip

    def paragraph(text: str, size: float, color: str = "#142120", align: int = 0, bold: bool = False) -> Any:
        return Paragraph(marked_up(text, bold=bold and not chinese), style(size, color, align))

    flow: list[Any] = [paragraph(title, 18, bold=True), paragraph(subtitle, 10, DIM), Spacer(0, 6 * mm)]
    width = A4[0] - 36 * mm
    if lead is not None:
        said = [paragraph(lead.word, 10, ACCENT, bold=True), paragraph(lead.sentence, 13)]
        said += [Spacer(0, 1.5 * mm), paragraph(lead.note, 9, DIM)] if lead.note else []
        figures = [
            [paragraph(label, 8, DIM), paragraph(figure, 14, bold=True), paragraph(under, 8, DIM)]
            for label, figure, under in lead.figures
        ]
        rows = [[said, *[""] * (len(figures) - 1)], figures] if figures else [[said]]
        box = Table(rows, colWidths=[width / max(len(figures), 1)] * max(len(figures), 1))
        box.setStyle(
            TableStyle(
                [
                    ("SPAN", (0, 0), (-1, 0)),
                    ("BOX", (0, 0), (-1, -1), 0.6, HexColor(LINE)),
                    ("LINEBEFORE", (1, 1), (-1, -1), 0.4, HexColor(LINE)),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LEFTPADDING", (0, 0), (-1, -1), 10),
                    ("TOPPADDING", (0, 0), (-1, -1), 8),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
                ]
            )
        )
        flow += [box, Spacer(0, 6 * mm)]
    for section in sections:
        head = [paragraph(section.title, 12, ACCENT, bold=True), paragraph(section.lead, 8.5, DIM), Spacer(0, 1.5 * mm)]
        if section.picture is not None:
            head += [drawing_of(section.picture, width), Spacer(0, 2 * mm)]
        if not section.rows:
            below = [paragraph(section.empty, 9)] if section.empty else []
            flow.append(KeepTogether([*head, *below, Spacer(0, 5 * mm)]))
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
        canvas.setFillColor(HexColor(DIM))
        line = canvas.beginText(18 * mm, 10 * mm)
        for font, part in runs_of(foot):
            line.setFont(font, 8)
            line.textOut(part)
        canvas.drawText(line)
        canvas.setFont(LATIN, 8)
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
