"""Equal things are numbered in their order, also when there are more of them than fit into memory."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from uptake.connectors.files.running_numbers import RunningNumbers


@given(st.lists(st.binary(min_size=1, max_size=1), max_size=60), st.integers(min_value=0, max_value=20))
def test_the_numbers_are_the_same_in_memory_and_in_a_file(digests: list[bytes], in_memory: int) -> None:
    seen: Counter[bytes] = Counter()
    with RunningNumbers(in_memory) as numbers:
        for digest in digests:
            assert numbers.number(digest) == seen[digest]
            seen[digest] += 1
        assert numbers.distinct == len(seen)
