"""What votes come to: quorum, majority, ties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.programme.governance.ballot import Tally, needed, outcome, quorum_of

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("votes", "members", "quorum", "majority", "comes_to"),
    [
        ((5, 2, 0), 9, 5, "simple", "accepted"),
        ((2, 2, 1), 9, 5, "simple", "refused"),  # a tie is no majority
        ((4, 0, 0), 9, 5, "simple", "lapsed"),
        ((1, 0, 4), 9, 5, "simple", "accepted"),  # abstaining is voting
        ((0, 0, 5), 9, 5, "simple", "refused"),  # nobody is no majority
        ((4, 1, 0), 9, 5, "absolute", "refused"),
        ((5, 4, 0), 9, 5, "absolute", "accepted"),
        ((5, 5, 0), 10, 5, "absolute", "refused"),
        ((4, 2, 0), 9, 5, "two_thirds", "accepted"),
        ((3, 2, 0), 9, 5, "two_thirds", "refused"),
        ((1, 0, 0), 1, 1, "two_thirds", "accepted"),
    ],
)
def test_votes_come_to(votes: tuple[int, int, int], members: int, quorum: int, majority: str, comes_to: str) -> None:
    assert outcome(Tally(*votes), members=members, quorum=quorum, majority=majority) == comes_to


@given(st.integers(1, 500), st.integers(1, 100))
def test_the_quorum_is_the_smallest_number_that_is_enough(members: int, percent: int) -> None:
    quorum = quorum_of(members, percent)

    assert quorum == 1 or (quorum * 100 >= members * percent > (quorum - 1) * 100)
    assert 1 <= quorum <= members


@given(
    st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.sampled_from(["simple", "absolute", "two_thirds"])
)
def test_more_yes_never_turns_an_acceptance(yes: int, no: int, abstain: int, majority: str) -> None:
    members = yes + no + abstain + 1
    before = outcome(Tally(yes, no, abstain), members=members, quorum=1, majority=majority)
    after = outcome(Tally(yes + 1, no, abstain), members=members, quorum=1, majority=majority)

    assert before != "accepted" or after == "accepted"
    assert before != "accepted" or yes > no
    assert before != "accepted" or yes >= needed(Tally(yes, no, abstain), members=members, majority=majority)
