"""A funnel's breakdown takes the value of the first event, of the last, of all, or of any step there is."""

from __future__ import annotations

import pytest

from uptake.web.pages.explore.kinds.funnel_asked import TOUCHES, touches_of

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("steps", "order", "numbered"),
    [(2, "ordered", ["step:0", "step:1"]), (1, "strict", ["step:0"]), (3, "unordered", ["step:0"])],
)
def test_each_step_with_a_number_can_give_the_value(steps: int, order: str, numbered: list[str]) -> None:
    assert list(touches_of(steps, order)) == [*TOUCHES, *numbered]
