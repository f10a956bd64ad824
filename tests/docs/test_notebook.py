"""The page about notebooks is a notebook: its code runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "how-to" / "ask-from-a-notebook.md"


def test_the_code_of_the_page_runs_from_top_to_bottom() -> None:
    cells = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(cells) >= 4

    names: dict[str, Any] = {}
    for number, cell in enumerate(cells, start=1):
        exec(compile(cell, f"{PAGE.name}, cell {number}", "exec"), names)
