"""What people wrote, in previews."""

from __future__ import annotations

import pytest

from uptake.web.templatetags.prose import in_one_line

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("One.\nTwo!\n\n  Three  ", "One. Two! Three"),
        ("Receipts\nCounts", "Receipts · Counts"),
        ("收货。\n盘点", "收货。盘点"),
        ("收货\r\n盘点", "收货 · 盘点"),
    ],
)
def test_the_lines_of_a_preview_do_not_run_together(text: str, line: str) -> None:
    assert in_one_line(text) == line
