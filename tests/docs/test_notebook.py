"""The pages about notebooks are notebooks: their code runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

HOW_TO = Path(__file__).resolve().parent.parent.parent / "docs" / "how-to"


@pytest.mark.parametrize("page", ["ask-from-a-notebook.md", "evaluate-a-panel.md"])
def test_the_code_of_the_page_runs_from_top_to_bottom(page: str) -> None:
    cells = re.findall(r"```python\n(.*?)```", (HOW_TO / page).read_text(), re.DOTALL)
    assert len(cells) >= 4

    names: dict[str, Any] = {}
    for number, cell in enumerate(cells, start=1):
        exec(compile(cell, f"{page}, cell {number}", "exec"), names)
