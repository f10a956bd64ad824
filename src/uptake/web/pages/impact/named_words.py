"""The ready-made metrics in words: name, definition, what they are divided by, what to connect where one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from uptake.insight.impact.named import Special

Text = str | Promise


@dataclass(frozen=True)
class Words:
    name: Text
    definition: Text
    against: Text
    missing: Text
    """What to connect so that it can be measured."""


HEADS: Text = _("everybody the directory has there that day, whether seen or not")
ORDERS: Text = _("a system that says when an order is processed, and whether in time (“on_time”)")
STOCK: Text = _("a warehouse system that says of each count whether it was right (“correct”) or in time (“on_time”)")

WORDS: Mapping[str, Words] = {
    "login": Words(
        _("Daily log-in rate"),
        _("People who logged in on a working day, of everybody who belongs there."),
        HEADS,
        _("a system that tells log-ins"),
    ),
    "active": Words(
        _("Active rate"),
        _("People who did anything that counts as activity on a working day, of everybody who belongs there."),
        HEADS,
        _("any system"),
    ),
    "returned": Words(
        _("Retention after four weeks"),
        _("Of the people active in the week four weeks before a day, those active again in the week up to that day."),
        _("people active in the week four weeks before"),
        _("any system, for five weeks"),
    ),
    "orders_on_time": Words(
        _("Orders finished on time"),
        _("Of the orders finished on a day of which it is told whether they were in time, those that were."),
        _("finished orders that tell whether they were in time"),
        ORDERS,
    ),
    "order_hours": Words(
        _("Order cycle time"),
        _("Hours from an order being entered to its last finishing, of the orders finished on a day."),
        _("orders finished that day"),
        _("a system that says when an order is entered and when it is processed"),
    ),
    "stock_on_time": Words(
        _("Stock handled on time"),
        _("Of the counts and movements of a day of which it is told whether they were in time, those that were."),
        _("counts or movements that tell whether they were in time"),
        STOCK,
    ),
    "stock_errors": Words(
        _("Stock error rate"),
        _("Of the counts of a day of which it is told whether they were right, those that were not."),
        _("counts that tell whether they were right"),
        STOCK,
    ),
    "tasks_done": Words(
        _("Task completion"),
        _("Tasks completed on a day, for each task begun that day."),
        _("tasks begun that day"),
        _("a system that says when a task is begun and when it is completed"),
    ),
    "redeeming": Words(
        _("People who redeem"),
        _("People who asked for a reward on a working day, of everybody who belongs there."),
        HEADS,
        _("rewards on offer"),
    ),
    "redeemed": Words(
        _("Points redeemed"),
        _("Points redeemed on a day less those given back, for each point granted that day, from the ledger."),
        _("points granted that day"),
        _("published rules, so that points are granted"),
    ),
    "failed": Words(
        _("Failed operations"),
        _("Of all that counts as activity on a day but page views, what says by its name that it failed."),
        _("all operations of that day"),
        _("a system that tells failures by names ending with “failed” or “error”"),
    ),
    "uptime": Words(
        _("System uptime"),
        _("Of the times a system was probed on a day, those it answered. Nobody does this; Uptake or a monitor asks."),
        _("probes that day"),
        _("a probe under Data → Probes, or a monitor that sends “system.probed” with the fact “up”"),
    ),
    "running": Words(
        _("Hours without an outage"),
        _("Of the hours of a day, those in which no outage was noted; from the first noted outage on."),
        _("all hours of the day"),
        _("outages that somebody notes here"),
    ),
    "feedback_in_time": Words(
        _("Feedback answered in time"),
        _("Of the feedback answered on a day, what was answered within the time agreed."),
        _("feedback answered that day"),
        _("answers to what is in the feedback box"),
    ),
    "feedback_rating": Words(
        _("Rating of answers to feedback"),
        _("The mean of the ratings, 1 to 5, that people gave to answers on a day."),
        _("ratings given that day"),
        _("people who rate the answers they get"),
    ),
    "completeness": Words(
        _("Feature completeness"),
        _("Of all requirements accepted up to a day and not dropped, those released by then."),
        _("requirements accepted so far"),
        _("a tracker that tells “requirement.accepted” and “requirement.released”, or planned and done feedback"),
    ),
    "satisfaction": Words(
        _("Satisfaction"),
        _("The mean of the scores of survey answers of a day."),
        _("survey answers that tell a score"),
        _("a survey that tells scores (“score”), or upload a business series"),
    ),
}
SPECIALS: Mapping[Special, Text] = {
    Special.RETURNED: _("all that counts as activity"),
    Special.REDEEMED: _("the ledger of points"),
    Special.ANSWERED: _("probes of systems"),
    Special.RUNNING: _("outages noted here"),
    Special.RELEASED: _("requirements accepted and released"),
}
