"""The ready-made metrics: what each is made of, in which unit it is told, and which way is good."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from uptake.insight.impact.metrics import Measure, Metric
from uptake.statistics.plan import Direction


class Special(StrEnum):
    """What is not counted from the events of a day alone."""

    RETURNED = "returned"
    """Of those active in the week four weeks before, who was active again in the seven days up to the day."""
    REDEEMED = "redeemed"
    """Points redeemed for each point granted that day, from the ledger."""
    ANSWERED = "answered"
    """Of the probes of systems that day, those that were answered; nobody does them."""
    RUNNING = "running"
    """Of the hours of a day, those without a noted outage of a system."""
    RELEASED = "released"
    """Of the requirements accepted up to a day and not dropped, those released by then."""


@dataclass(frozen=True)
class Named:
    """`recipes`: ways to measure it by what different systems send; the first of which something came in is used."""

    key: str
    good: Direction
    recipes: tuple[Metric, ...] = ()
    special: Special | None = None
    version: int = 1
    """Raised when the metric comes to mean something else."""

    @property
    def is_share(self) -> bool:
        measures = {one.measure for one in self.recipes}
        return not measures & {Measure.MEAN, Measure.HOURS, Measure.PER_HEAD, Measure.RATIO}


def _of(measure: Measure, fact: str, *events: str) -> tuple[Metric, ...]:
    return tuple(Metric(event, measure, fact) for event in events)


def _share(*events: str) -> tuple[Metric, ...]:
    return tuple(Metric(event) for event in events)


HIGHER, LOWER = Direction.HIGHER, Direction.LOWER
ORDERS = ("order.processed", "order.completed", "order.shipped", "order.delivered")
STOCK = ("stock.counted", "stock.moved", "goods_receipt.posted")
TASKS = (
    ("task.completed", "task.created"), ("work_order.completed", "work_order.released"),
    ("issue.closed", "issue.created"),
)  # fmt: skip

NAMED: tuple[Named, ...] = (
    Named("login", HIGHER, _share("auth.login", "user.login", "user.logged_in", "session.started")),
    Named("active", HIGHER, (Metric(),)),
    Named("returned", HIGHER, special=Special.RETURNED),
    Named("orders_on_time", HIGHER, _of(Measure.YES, "on_time", *ORDERS)),
    Named("order_hours", LOWER, tuple(Metric(end, Measure.HOURS, "order.created") for end in ORDERS)),
    Named("stock_on_time", HIGHER, _of(Measure.YES, "on_time", *STOCK)),
    Named("stock_errors", LOWER, _of(Measure.NO, "correct", *STOCK)),
    Named("tasks_done", HIGHER, tuple(Metric(done, Measure.RATIO, begun) for done, begun in TASKS)),
    Named("redeeming", HIGHER, _share("reward.requested")),
    Named("redeemed", HIGHER, special=Special.REDEEMED),
    Named("failed", LOWER, (Metric("", Measure.FAILED),)),
    Named("uptime", HIGHER, special=Special.ANSWERED),
    Named("running", HIGHER, special=Special.RUNNING),
    Named("feedback_in_time", HIGHER, _of(Measure.YES, "in_time", "feedback.answered")),
    Named("feedback_rating", HIGHER, _of(Measure.MEAN, "rating", "feedback.rated")),
    Named("completeness", HIGHER, special=Special.RELEASED),
    Named("satisfaction", HIGHER, _of(Measure.MEAN, "score", "survey.answered", "csat.answered", "ticket.rated")),
)
BY_KEY: Mapping[str, Named] = {one.key: one for one in NAMED}


def recipe(named: Named, events: Mapping[str, Collection[str]]) -> Metric | None:
    """The way to measure it by the catalogue (event name → the facts it tells); None: nothing of it is known here."""
    for one in named.recipes:
        if one.measure is Measure.FAILED:
            return replace(one, named=named.key)
        if all(name in events for name in one.events) and (not one.of_fact or one.of in events[one.event]):
            return replace(one, named=named.key)
    return None
