"""R and S: rings of people who recognise each other, and those who approve for whom they get from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from uptake.statistics.distributions import Floats, Ints, binomial_at_least, poisson_at_least
from uptake.statistics.gaming.deeds import role_medians
from uptake.statistics.gaming.detectors import FALSE_SHARE, Sign
from uptake.statistics.multiplicity import benjamini_hochberg

EACH_WAY = 4


@dataclass(frozen=True, slots=True)
class Ring:
    """people: who is in it; given: how often they recognised each other; expected: how often they would have.

    p: adjusted, of the least certain pair that ties them.
    """

    people: tuple[int, ...]
    given: int
    expected: float
    p: float = 0.0


def expected_recognitions(given: Ints, department: Sequence[str]) -> Floats:
    """(p, p): each giver's volume inside and outside the department, spread by receivers' popularity there."""
    names = np.asarray(department)
    same = names[:, None] == names[None, :]
    np.fill_diagonal(same, False)
    other = ~same
    np.fill_diagonal(other, False)
    received = given.sum(axis=0).astype(np.float64)
    expected = np.zeros(given.shape)
    for part in (same, other):
        volume = np.where(part, given, 0).sum(axis=1)
        # Half of everybody's popularity is even, so that a ring does not explain itself by its own giving.
        pull = part * (received + received.mean() + 0.1)[None, :]
        total = pull.sum(axis=1)
        expected += np.where(total[:, None] > 0, volume[:, None] * pull / np.where(total > 0, total, 1)[:, None], 0.0)
    return expected


def rings(given: Ints, department: Sequence[str]) -> tuple[Ring, ...]:
    """Pairs who recognise each other more than chance both ways, tied together. given (p, p): times i recognised j."""
    expected = expected_recognitions(given, department)
    tail = poisson_at_least(given.astype(np.float64), np.maximum(expected, 1e-6))
    both = np.maximum(tail, tail.T)
    first, second = np.triu_indices(len(given), 1)
    adjusted = benjamini_hochberg(both[first, second])
    certain = adjusted <= FALSE_SHARE
    enough = (given[first, second] >= EACH_WAY) & (given[second, first] >= EACH_WAY)
    kept = certain & enough
    # Directed excess edges among those pairs, and one-way excess that closes a longer ring.
    edge = np.zeros(given.shape, dtype=np.bool_)
    edge[first[kept], second[kept]] = edge[second[kept], first[kept]] = True
    raised = np.zeros(given.shape)
    raised[first[kept], second[kept]] = adjusted[kept]
    return _components(edge, given, expected, raised)


def _components(
    edge: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], given: Ints, expected: Floats, raised: Floats
) -> tuple[Ring, ...]:
    # Loaded where it is needed: ten megabytes that a server which shows pages has no use for.
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    count, label = connected_components(csr_matrix(edge), directed=True, connection="strong")
    told = []
    for part in range(count):
        people = np.flatnonzero(label == part)
        if len(people) >= 2:
            block = np.ix_(people, people)
            told.append(
                Ring(
                    tuple(map(int, people)),
                    int(given[block].sum()),
                    float(expected[block].sum()),
                    float(raised[block].max()),
                )
            )
    return tuple(sorted(told, key=lambda one: one.people))


LOOP_TIMES, OWN_TIMES, OWN_SHARE = 2, 5, 0.25


def approval_loops(
    approved: Mapping[tuple[int, int], int], received: Mapping[tuple[int, int], int]
) -> tuple[tuple[int, int], ...]:
    """S: (approver, approved) pairs in which the approver also gets something from the approved, at least twice.

    approved: (approver, approved) → how often; received: (giver, receiver) → how often. Once is a thank-you.
    """
    return tuple(
        sorted(pair for pair, times in approved.items() if times and received.get(pair[::-1], 0) >= LOOP_TIMES)
    )


def self_approvals(own: Ints, approved: Ints, role: tuple[str, ...]) -> list[Sign]:
    """S of one person alone: approving what one made oneself, far more often than the same role does.

    own, approved: (p,) approvals of one's own, and approvals in all. Where everybody approves their own work, as small
    firms do, nobody stands out.
    """
    share, known = own / np.maximum(approved, 1), approved >= OWN_TIMES
    usual = np.maximum(role_medians(share, role, known), 0.02)
    p, adjusted = binomial_at_least(own, approved, usual), np.ones(len(own))
    if known.any():
        adjusted[known] = benjamini_hochberg(p[known])
    gate = known & (own >= OWN_TIMES) & (share >= OWN_SHARE) & (adjusted <= FALSE_SHARE)
    return [
        Sign("S", int(one), float(adjusted[one]), {"own": float(own[one]), "approved": float(approved[one])})
        for one in np.flatnonzero(gate)
    ]
