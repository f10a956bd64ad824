"""Everybody's events in time order, for analyses of what follows what: which rows match which selector, who owns them.

A fold over histories walks the rows of one actor after the other and reads two columns: when, and what. What a row
matches is a number of bits found in a small table by the row's code, so a question of names alone touches no column
but the event's.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uptake.activity.asking import Asked, group_codes, numbered
from uptake.activity.columns import NOBODY, Array
from uptake.activity.conditions import Sieve, passing
from uptake.activity.log import Snapshot, each_bucket, each_worker
from uptake.activity.owners import (
    OUT,
    PLACES,
    SOME,
    actors_of,
    narrowed_codes,
    owners_of,
    spread,
    starts_of,
    table_of,
    verdicts,
)
from uptake.activity.question import By, Selector

KEPT = np.uint32(1 << 31)
"""The bit of every row that counts at all, whatever selector it matches: what may stand "in between"."""
MOST_SELECTORS = 30
Labeller = Callable[[int, Array], tuple[list[Hashable], Array]]
"""Labels the rows of a bucket: given its number and every row's bits, the labels and for each row the number of its
own (anything for rows without KEPT)."""
Part = TypeVar("Part")


@dataclass(frozen=True)
class Histories:
    """The rows of a bucket. Actor k's are [starts[k], ends[k]), in the order of time (then of arrival).

    Bit i of bits[codes[row]] says that the row matches selector i; KEPT that it counts at all (rows that do not may
    lie in between and are to be passed over). All actors are counted: nobody, machines and excluded people have none.
    """

    starts: Array
    """int64"""
    ends: Array
    actor: Array
    """int32 person codes (negative: unresolved); for `count_by` something else: numbers from 1 into `names`."""
    at: Array
    """int64, microseconds since 1970 UTC."""
    codes: Array
    """int16 or int32, one per row."""
    bits: Array
    """uint32, by code."""
    labels: tuple[Any, ...] = ()
    """What `group` and `owner` number: texts, or whatever a Labeller gives; empty without a breakdown."""
    by_row: Array = field(default_factory=lambda: np.zeros(0, np.int32))
    """`group`, where it is read; of length 0 where the owners say all."""
    names: tuple[str, ...] = ()
    """For `count_by` something else than people: what actor number 1, 2… is called."""
    many: Array = field(default_factory=lambda: np.zeros(0, np.int32))
    """For visits: how many rows of the log each stands for; of length 0: one each."""
    owner: Array = field(default_factory=lambda: np.zeros(0, np.int32))
    """int32, one per actor: the value of the breakdown (a number of `labels`) that all of its rows have, SEVERAL where
    they differ; of length 0: nobody knows."""

    @cached_property
    def group(self) -> Array:
        """int32, one per row: the number of the row's value of the breakdown; of length 0 without one."""
        if len(self.by_row) or not len(self.owner):
            return self.by_row
        return spread(self.starts, self.ends, self.owner, len(self.at))

    def only(self, actors: Array) -> Histories:
        """The same of some actors: a mask, or their places."""
        owner = self.owner[actors] if len(self.owner) else self.owner
        return replace(self, starts=self.starts[actors], ends=self.ends[actors], actor=self.actor[actors], owner=owner)

    @property
    def people(self) -> Histories:
        """The same of people: identities nobody has claimed yet are none."""
        known = self.actor > 0
        return self if known.all() else self.only(known)

    def shared_out(self, shares: Array) -> tuple[Array, Histories | None]:
        """By actor the share of the one value all its rows have, the last one where they differ; and the histories of
        those whose rows differ. shares: by label, and one more."""
        if not len(self.owner):
            return np.full(len(self.starts), shares[-1], np.int64), self
        several = self.owner < 0
        return shares[self.owner], self.only(several) if several.any() else None


def each_history(
    asked: Asked,
    selectors: Sequence[Selector],
    fold: Callable[[Histories], Part],
    *,
    breakdown: By | Labeller | None = None,
) -> list[Part]:
    """What the fold makes of every bucket, in the order of the buckets (one part where something else is counted).

    The question's filters, people, scope and the viewer's companies hold; its `event_sel` is not applied: hand it in
    as a selector. Labels of a breakdown are numbered per part: add up by text.
    """
    view = _View(asked, tuple(selectors))
    if asked.question.count_by != By():
        return [fold(view.regrouped(breakdown))]
    return each_bucket(asked.snapshot, lambda bucket: fold(view.of(bucket, breakdown)))


def sum_histories(
    asked: Asked,
    selectors: Sequence[Selector],
    fold: Callable[[Histories, Part | None], Part],
    *,
    breakdown: By | Labeller | None = None,
) -> list[Part]:
    """As `each_history`, of a fold that adds each bucket to what it gave for the one before (None at first); labels
    have to mean the same in all of them. As many sums as there were workers."""
    view = _View(asked, tuple(selectors))
    if asked.question.count_by != By():
        return [fold(view.regrouped(breakdown), None)]
    return each_worker(asked.snapshot, lambda bucket, so_far: fold(view.of(bucket, breakdown), so_far))


class _View:
    """How the selectors of one question look upon the rows of a snapshot."""

    def __init__(self, asked: Asked, selectors: tuple[Selector, ...]) -> None:
        assert len(selectors) <= MOST_SELECTORS, "one bit per selector"
        self.snapshot: Snapshot = asked.snapshot
        self.asked, self.selectors = asked, selectors
        question = asked.question
        known = self.snapshot
        self.only = asked.only
        self.not_persons = known.person_codes(question.not_persons)
        self.never = np.concatenate([
            np.array([NOBODY], np.int32), np.array(known.machines, np.int32), self.not_persons
        ])  # fmt: skip
        self.sieve = Sieve(
            known, selector=Selector(self._every_name()), conditions=question.filters,
            companies=asked.visible, places=question.scope, sources=question.sources,
        )  # fmt: skip
        narrowed = (asked.visible, question.scope, question.sources)
        self.by_row = bool(question.filters) or any(one is not None for one in narrowed)
        self.companies: Array | None = None
        self.places: Array | None = None
        self.bits = self._table()
        conditions = bool(question.filters) or any(one.where for one in selectors)
        if self.by_row and not conditions and question.sources is None and len(self.bits) <= 2**15:
            self.companies, self.places = table_of(self.sieve.companies), table_of(self.sieve.places)

    def _every_name(self) -> tuple[str, ...] | None:
        """Bookkeeping is passed over unless a selector names it; then any event counts that is named or is none."""
        named = {name for one in self.selectors for name in one.events or ()} & set(self.snapshot.not_activity)
        if not named:
            return None
        texts = self.snapshot.texts("event").to_pylist()
        return tuple(str(text) for text in texts if text in named or text not in set(self.snapshot.not_activity))

    def _table(self) -> Array:
        """By event code, the bits of the selectors that name the event, whatever their conditions; then a dead code."""
        texts = self.snapshot.texts("event")
        bits = np.zeros(len(texts) + 1, np.uint32)
        usual = np.ones(len(texts), bool) if self.sieve.events is None else self.sieve.events
        bits[:-1][usual] |= KEPT
        left_out = pc.is_in(texts, value_set=pa.array(self.snapshot.not_activity, pa.large_string()))
        activity = ~left_out.to_numpy(zero_copy_only=False)
        for number, one in enumerate(self.selectors):
            if one.events is None:
                found = activity
            else:
                listed = pa.array(one.events, pa.large_string())
                found = pc.is_in(texts, value_set=listed).to_numpy(zero_copy_only=False)
            bits[:-1][found & usual] |= np.uint32(1 << number)
        return bits

    def of(self, bucket: int, breakdown: By | Labeller | None) -> Histories:
        columns = self.snapshot.columns(bucket, ["happened_at", "event"])
        starts, actor = actors_of(self.snapshot, bucket)
        wanted = wanted_actors(actor, self.never, self.only)
        if self.companies is not None and self.places is not None:
            codes, bits, wanted = self._by_place(bucket, columns["event"], starts, wanted)
        else:
            codes, bits = self._coded(bucket, columns["event"])
        labels: tuple[Any, ...] = ()
        group = owner = np.zeros(0, np.int32)
        if breakdown is not None:
            numbered = self._numbered(bucket, breakdown)
            if numbered is None:
                texts, group = self._labelled(bucket, breakdown, bits[codes])
                labels = tuple(texts)
            else:
                labels, group, owner = numbered
        rows = Histories(
            starts[:-1], starts[1:], actor, columns["happened_at"], codes, bits, labels, group, owner=owner
        )
        return rows if wanted is None else rows.only(wanted)

    def _by_place(
        self, bucket: int, event: Array, starts: Array, wanted: Array | None
    ) -> tuple[Array, Array, Array | None]:
        """Codes and bits where nothing narrows the rows but companies and departments; and which actors are left."""
        assert self.companies is not None
        assert self.places is not None
        found = verdicts(self.snapshot, bucket, self.companies, self.places)
        wanted = found != OUT if wanted is None else wanted & (found != OUT)
        some = wanted & (found == SOME)

        def columns() -> tuple[Array, Array]:
            known = self.snapshot.columns(bucket, list(PLACES))
            return known["company"], known["department"]

        first, last = starts[:-1][some], starts[1:][some]
        codes = narrowed_codes(event, len(self.bits) - 1, first, last, columns, self.companies, self.places)
        return codes, self.bits, wanted

    def _coded(self, bucket: int, event: Array) -> tuple[Array, Array]:
        """A code per row and the bits by code: the event's own where names say all."""
        if any(one.where for one in self.selectors):
            kept = self.sieve.mask(bucket)
            found = np.where(kept, self.bits[event], np.uint32(0))
            for number, one in enumerate(self.selectors):
                bit = np.uint32(1 << number)
                among = (found & bit) > 0
                still = among
                for condition in one.where:
                    if still.any():
                        still = passing(self.snapshot, bucket, condition, still)
                found[among & ~still] &= ~bit
            patterns, codes = np.unique(found, return_inverse=True)
            return codes.astype(np.int32), patterns
        if not self.by_row:
            return event, self.bits
        dead = len(self.bits) - 1
        codes = np.where(self.sieve.mask(bucket), event, np.asarray(dead, event.dtype if dead < 2**15 else np.int32))
        return codes, self.bits

    def _numbered(self, bucket: int, breakdown: By | Labeller) -> tuple[tuple[str, ...], Array, Array] | None:
        """Labels, codes and owners of companies or departments whose numbers are used as they are, whichever rows
        count; None: they are not, or there are none and a property may have the name."""
        if not isinstance(breakdown, By) or breakdown.place not in PLACES:
            return None
        owners = owners_of(self.snapshot, bucket, breakdown.place)
        labels = numbered(owners.most)
        if labels is None or len(labels) == 1:
            return None
        nothing = np.zeros(0, np.int32)
        column = self.snapshot.columns(bucket, [breakdown.place])[breakdown.place] if owners.several else nothing
        return labels, column, owners.values

    def _labelled(self, bucket: int, breakdown: By | Labeller, found: Array) -> tuple[Sequence[Any], Array]:
        if isinstance(breakdown, By):
            return group_codes(self.snapshot, bucket, breakdown, (found & KEPT) > 0)
        return breakdown(bucket, found)

    def regrouped(self, breakdown: By | Labeller | None) -> Histories:
        """All kept rows of all buckets by what the question counts; rows without it drop out."""
        actors: dict[str, int] = {}
        values: dict[Any, int] = {}
        who, when, arrived, bits, group = [], [], [], [], []
        for bucket in range(self.snapshot.buckets):
            columns = self.snapshot.columns(bucket, ["person", "happened_at", "event", "event_id"])
            codes, table = self._coded(bucket, columns["event"])
            found = table[codes]
            keep = ((found & KEPT) > 0) & ~np.isin(columns["person"], self.never)
            if self.only is not None:
                keep &= np.isin(columns["person"], self.only)
            labels, own = group_codes(self.snapshot, bucket, self.asked.question.count_by, keep)
            numbers = np.array([actors.setdefault(text, len(actors) + 1) if text else 0 for text in labels] or [0])
            who.append(numbers[own[keep]])
            when.append(columns["happened_at"][keep])
            arrived.append(columns["event_id"][keep])
            bits.append(found[keep])
            if breakdown is not None:
                given, own = self._labelled(bucket, breakdown, np.where(keep, found, np.uint32(0)))
                numbers = np.array([values.setdefault(one, len(values)) for one in given] or [0])
                group.append(numbers[own[keep]])
        person, at, found = np.concatenate(who), np.concatenate(when), np.concatenate(bits)
        there = np.flatnonzero(person > 0)
        order = there[np.lexsort((np.concatenate(arrived)[there], at[there], person[there]))]
        person = person[order].astype(np.int32)
        patterns, codes = np.unique(found[order], return_inverse=True)
        starts = starts_of(person)
        return Histories(
            starts[:-1], starts[1:], person[starts[:-1]] if len(person) else person, at[order],
            codes.astype(np.int32), patterns.astype(np.uint32), tuple(values),
            np.concatenate(group)[order].astype(np.int32) if group else np.zeros(0, np.int32), tuple(actors),
        )  # fmt: skip


def wanted_actors(actor: Array, never: Array, only: Array | None) -> Array | None:
    """A mask of the actors that count, None: all do. never: codes of those who do not; only: of the ones asked about,
    None: all. Actors are sorted."""
    wanted: Array | None = None
    if len(never) == 1:
        place = int(actor.searchsorted(never[0]))
        among = place < len(actor) and actor[place] == never[0]
    else:
        among = len(actor) > 0 and (actor.take(actor.searchsorted(never), mode="clip") == never).any()
    if among:
        wanted = ~np.isin(actor, never)
    if only is not None:
        there = np.isin(actor, only)
        wanted = there if wanted is None else wanted & there
    return None if wanted is not None and wanted.all() else wanted
