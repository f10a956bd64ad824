"""Which counts of an answer are too small to be told, and which others have to be hidden so as not to give them away.

A count of 1 to 4 is small. Where an answer holds figures that add up (a whole and its parts; who was there last week
and who stayed or fell silent), a single hidden one could be reckoned from the others: then the next smallest is hidden
too, until no sum by itself leaves only one possibility for any hidden count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uptake.directory.scope import HIDE_BELOW

Path = tuple[str | int, ...]
"""Where a figure stands in an answer: keys and places in lists."""
UNBOUNDED = 10**12


@dataclass(frozen=True)
class Sum:
    """Figures that add up to as much as others do."""

    these: tuple[Path, ...]
    those: tuple[Path, ...]

    @property
    def cells(self) -> list[tuple[Path, int]]:
        return [*((path, 1) for path in self.these), *((path, -1) for path in self.those)]


def counts_of(answer: Any, keys: Collection[str], path: Path = (), inside: bool = False) -> Iterator[tuple[Path, int]]:
    """Every whole number under one of the keys, wherever it stands."""
    if isinstance(answer, Mapping):
        for key, value in answer.items():
            yield from counts_of(value, keys, (*path, key), inside or key in keys)
    elif isinstance(answer, list | tuple):
        for place, value in enumerate(answer):
            yield from counts_of(value, keys, (*path, place), inside)
    elif inside and isinstance(answer, int) and not isinstance(answer, bool):
        yield path, answer


def hidden_counts(counts: Mapping[Path, int], sums: Iterable[Sum], beside: Mapping[Path, Path]) -> set[Path]:
    """The counts not to be told. `beside`: a figure of the people another one counts; it goes where that one goes."""
    small = {path for path, count in counts.items() if 0 < count < HIDE_BELOW}
    hidden = small | {path for path, other in beside.items() if other in small and counts.get(path)}
    together = [one for one in sums if any(path in counts for path, _ in one.cells)]
    times: dict[Path, int] = {}
    for one in together:
        for path, _ in one.cells:
            times[path] = times.get(path, 0) + 1
    waiting = together
    while waiting:
        added = False
        for one in waiting:
            while gives_away(one, counts, small, hidden):
                others = [path for path, _ in one.cells if path not in hidden and counts.get(path)]
                if not others:
                    break
                hidden.add(min(others, key=lambda path: (times[path], counts[path], str(path))))
                added = True
        waiting = together if added else []
    return hidden


def gives_away(one: Sum, counts: Mapping[Path, int], small: Collection[Path], hidden: Collection[Path]) -> bool:
    """Whether the figures shown of a sum leave only one possibility for one that is hidden."""
    unknown = [(path, sign) for path, sign in one.cells if path in hidden]
    rest = sum(sign * counts[path] for path, sign in unknown)
    ends = [_ends(sign, path in small) for path, sign in unknown]
    low, high = sum(end[0] for end in ends), sum(end[1] for end in ends)
    for own_low, own_high in ends:
        least = max(own_low, rest - (high - own_high))
        most = min(own_high, rest - (low - own_low))
        if least == most:
            return True
    return False


def _ends(sign: int, small: bool) -> tuple[int, int]:
    least, most = (1, HIDE_BELOW - 1) if small else (HIDE_BELOW, UNBOUNDED)
    return (least, most) if sign > 0 else (-most, -least)


def also_hidden(counts: Mapping[Path, int], hidden: Collection[Path]) -> list[str]:
    """Where the counts stand that are hidden without being small: "returning/3"."""
    return sorted("/".join(map(str, path)) for path in hidden if counts[path] >= HIDE_BELOW)


def parts_and_wholes(counts: Mapping[Path, int]) -> list[Sum]:
    """The values of a breakdown, cell by cell, beside the figure of everybody.

    Where people have several values, those that are not small may reach the whole by themselves: nothing is left over.
    """
    parts: dict[Path, list[Path]] = {}
    for path in counts:
        if "by_value" in path:
            place = path.index("by_value")
            parts.setdefault(path[:place] + path[place + 2 :], []).append(path)
    return [
        Sum((whole,), tuple(several))
        for whole, several in parts.items()
        if whole in counts
        and sum(count for path in several if not 0 < (count := counts[path]) < HIDE_BELOW)
        < counts[whole]
        <= sum(counts[path] for path in several)
    ]


def lifecycle_sums(counts: Mapping[Path, int]) -> list[Sum]:
    """Who was there in one interval stayed or fell silent in the next."""
    sums = []
    for path in counts:
        if len(path) < 2 or path[-2] != "dormant" or not isinstance(path[-1], int) or path[-1] == 0:
            continue
        part, now = path[:-2], path[-1]
        before = tuple((*part, state, now - 1) for state in ("new", "returning", "resurrecting"))
        sums.append(Sum(before, ((*part, "returning", now), path)))
    return sums


def session_sums(counts: Mapping[Path, int]) -> list[Sum]:
    """The sessions of all intervals, and of all lengths, are all sessions."""
    parts: dict[tuple[Path, str], list[Path]] = {}
    for path in counts:
        if len(path) >= 3 and path[-2] == "sessions" and path[-3] in ("per_interval", "by_duration"):
            parts.setdefault((path[:-3], str(path[-3])), []).append(path)
    return [Sum(((*whole, "sessions"),), tuple(several)) for (whole, _), several in parts.items()]


def beside_people(counts: Mapping[Path, int]) -> dict[Path, Path]:
    """Sessions beside the people who have them."""
    found: dict[Path, Path] = {}
    for path in counts:
        for place in range(max(0, len(path) - 2), len(path)):
            if path[place] == "sessions":
                found[path] = (*path[:place], "people", *path[place + 1 :])
    return found


def under(hidden: Collection[Path], path: Sequence[str | int]) -> bool:
    """Whether a figure that stands there, or in a list there, is hidden."""
    start = tuple(path)
    return any(
        one[: len(start)] == start and all(isinstance(step, int) for step in one[len(start) :]) for one in hidden
    )
