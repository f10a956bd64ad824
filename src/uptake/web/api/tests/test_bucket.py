"""Token buckets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from uptake.web.api.bucket import Buckets


def test_a_full_bucket_gives_a_burst_and_then_its_rate() -> None:
    buckets = Buckets(rate=10, size=100)
    assert buckets.take(1, 100, now=0) == 0
    assert buckets.take(1, 5, now=0) == 0.5
    assert buckets.take(2, 100, now=0) == 0, "each key has its own"
    assert buckets.take(1, 5, now=0.5) == 0
    assert buckets.take(1, 1, now=0.5) > 0


def test_who_asks_for_more_than_fits_is_served_when_full_and_owes_the_rest() -> None:
    buckets = Buckets(rate=10, size=100)
    assert buckets.take(1, 150, now=0) == 0
    assert buckets.take(1, 1, now=5) > 0
    assert buckets.take(1, 100, now=15) == 0


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 3)), max_size=60))
def test_nobody_gets_more_than_burst_and_rate(asked: list[tuple[int, float]]) -> None:
    buckets = Buckets(rate=10, size=100)
    now, given_out = 0.0, 0
    for wanted, later in asked:
        now += later
        if buckets.take(1, wanted, now) == 0:
            given_out += wanted
        assert given_out <= 100 + 10 * now + 1e-6
