"""Finds, across people, what an event undoes and what undoes it: by marks kept beside the events that rulebooks name.

A mark is a number made of the company, the fact (or the object) and its value. Only events named in the reversals of
some rulebook have marks, so that other rulebooks pay nothing for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from uptake.events.models import Event
from uptake.programme.gather import Gathered, gather, many
from uptake.programme.models import MarkedName, ReversalMark
from uptake.programme.reversals import value_of
from uptake.programme.rulebook import Reversal

ROWS = 2000


@dataclass(frozen=True, slots=True)
class Links:
    """How the names of events are linked by the reversals of a company's rulebooks, whichever version they are of."""

    undoes: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    """By name of an undoing event: (fact, name of an event it undoes)."""
    undone_by: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    """By name of an event: (fact, name of an event that undoes it)."""

    @property
    def marked(self) -> set[tuple[str, str]]:
        """(name, fact) of all events that have marks."""
        both = (self.undoes, self.undone_by)
        return {(name, same) for linked in both for name, links in linked.items() for same, _ in links}


def links_of(reversals: Iterable[Reversal]) -> Links:
    links = Links()
    for entry in reversals:
        for name in entry.undoes:
            links.undoes[entry.event].add((entry.same, name))
            links.undone_by[name].add((entry.same, entry.event))
    return links


class Marks:
    """The marks of some companies. The number of queries depends on how reversals chain, never on how much is there."""

    def __init__(self, links: Mapping[int, Links]) -> None:
        """`links`: by company id, only of those whose rulebooks have reversals."""
        self.links = links

    def keep(self, events: Iterable[Gathered]) -> None:
        """Writes the marks of these events, and those of names that had none so far. Safe to repeat."""
        self._keep_earlier()
        self._write(events)

    def undone_by(self, events: Iterable[Gathered], known: Collection[int]) -> dict[int, Gathered]:
        """Events that these undo, those which these undo in turn, and so on; without those known."""
        return self._follow(events, known, downwards=True)

    def undoing(self, events: Iterable[Gathered], known: Collection[int]) -> dict[int, Gathered]:
        """Events that undo these, those that undo these in turn, and so on; without those known."""
        return self._follow(events, known, downwards=False)

    def others_of(self, members: Iterable[Gathered], undoing: Iterable[Gathered]) -> list[Gathered]:
        """Of many events that undo something, those that undo some of these, or undo such."""
        by_mark: dict[tuple[int, str], list[Gathered]] = defaultdict(list)
        for one in undoing:
            links = self.links.get(one.company or 0)
            if links and one.name in links.undoes:
                for same, _ in links.undoes[one.name]:
                    mark = mark_of(one, same)
                    if mark is not None:
                        by_mark[mark, one.name].append(one)
        found: dict[int, Gathered] = {}
        frontier = list(members)
        own = {one.id for one in frontier}
        while frontier:
            following = [
                other
                for wanted in {pair for one in frontier for pair in self._wanted(one, downwards=False)}
                for other in by_mark.get(wanted, ())
                if other.id not in own and other.id not in found
            ]
            frontier = list({one.id: one for one in following}.values())
            found |= {one.id: one for one in frontier}
        return list(found.values())

    def _follow(self, events: Iterable[Gathered], known: Collection[int], *, downwards: bool) -> dict[int, Gathered]:
        found: dict[int, Gathered] = {}
        frontier: Sequence[Gathered] = list(events)
        asked: set[tuple[int, str]] = set()
        while frontier:
            wanted = {pair for one in frontier for pair in self._wanted(one, downwards=downwards)} - asked
            asked |= wanted
            ids = {pk for pk in _marked(wanted) if pk not in known and pk not in found}
            more = gather(ids) if ids else {}
            found |= more
            frontier = list(more.values())
        return found

    def _wanted(self, event: Gathered, *, downwards: bool) -> Iterator[tuple[int, str]]:
        """(mark, name) of the events linked with this one."""
        links = self.links.get(event.company or 0)
        if links is None:
            return
        for same, name in (links.undoes if downwards else links.undone_by).get(event.name, ()):
            mark = mark_of(event, same)
            if mark is not None:
                yield mark, name

    def _write(self, events: Iterable[Gathered]) -> None:
        marked = {company: links.marked for company, links in self.links.items()}
        rows = []
        for one in events:
            for name, same in marked.get(one.company or 0, ()):
                mark = mark_of(one, same) if name == one.name else None
                if mark is not None:
                    rows.append(ReversalMark(mark=mark, name=one.name, event_id=one.id))
        if rows:
            ReversalMark.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)

    def _keep_earlier(self) -> None:
        """Events that came before a rulebook asked for their marks get them now, once."""
        wanted = {(company, *pair) for company, links in self.links.items() for pair in links.marked}
        rows = MarkedName.objects.filter(company_id__in=many(self.links)).values_list("company_id", "name", "same")
        missing = wanted - set(rows)
        if not missing:
            return
        ids = list(
            Event.objects.filter(name__in={name for _, name, _ in missing}).order_by("pk").values_list("pk", flat=True)
        )
        for start in range(0, len(ids), ROWS):
            self._write(gather(ids[start : start + ROWS]).values())
        MarkedName.objects.bulk_create(
            [MarkedName(company_id=company, name=name, same=same) for company, name, same in sorted(missing)],
            ignore_conflicts=True,
        )


def mark_of(event: Gathered, same: str) -> int | None:
    """The mark of an event for a fact; None where it has no such value."""
    value = value_of(event, same)
    if value is None:
        return None
    digest = blake2b(repr((event.company, same, value)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _marked(wanted: Collection[tuple[int, str]]) -> list[int]:
    """The ids of the events with these marks and names."""
    if not wanted:
        return []
    rows = ReversalMark.objects.filter(
        mark__in=many({mark for mark, _ in wanted}), name__in=sorted({name for _, name in wanted})
    ).values_list("mark", "name", "event_id")
    return [event_id for mark, name, event_id in rows if (mark, name) in wanted]
