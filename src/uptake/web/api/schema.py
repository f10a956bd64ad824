"""The shapes of the API, as they are described in OpenAPI."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field


class EventIn(Schema):
    """One thing that happened. Unknown fields are refused."""

    event: str = Field(max_length=200, description="What happened: dotted, past tense, such as order.processed.")
    key: str = Field(max_length=255, description="Your id of this event. The same key sent again changes nothing.")
    at: datetime = Field(description="When it happened, ISO 8601 with a zone.")
    person: str | None = Field(None, max_length=255, description="Your id of the person; left out: the system did it.")
    object: str | None = Field(None, max_length=255, description="What it was about, such as an order number.")
    facts: dict[str, Any] = Field(
        default_factory=dict, description="Properties: text, numbers, booleans. At most 65,536 bytes and 8 levels."
    )
    company: str | None = Field(None, description="Slug of the company, where a connection serves several.")
    revision: int = Field(1, ge=1, description="A higher one supersedes the lower ones of the same key.")
    history_only: bool = Field(False, description="Counts in analyses, never earns points.")
    person_name: str | None = Field(None, max_length=255)
    person_email: str | None = Field(None, max_length=255, description="Used to find the person.")
    person_staff_number: str | None = Field(None, max_length=255, description="Used to find the person.")


class EventsIn(Schema):
    """Up to 5,000 events."""

    events: list[EventIn] = Field(max_length=5000)


class FateOut(Schema):
    """What became of one event."""

    key: str
    fate: Literal["new", "replayed", "conflict", "quarantined", "rejected"]
    event_id: int | None = Field(description="The stored event; for replayed and conflict the one that holds the key.")
    reason: str = Field(description="For quarantined: future, late or odd; for conflict and rejected: a sentence.")


class CountsOut(Schema):
    """How many of each fate."""

    new: int
    replayed: int
    conflict: int
    quarantined: int
    rejected: int


class ReportOut(Schema):
    """The fate of each event, in the order sent; everything new or quarantined is on disk."""

    counts: CountsOut
    fates: list[FateOut]


class QuestionIn(Schema):
    """A question about activity, as `uptake ask` takes it; an unknown key is refused by its name."""

    analysis: str = Field(description="Which analysis: pv_uv, active_users, funnel, retention, paths …")
    scope: list[int] | None = Field(None, description="Numbers of organizations; left out: all whose totals you see.")
    timezone: str | None = Field(None, description="IANA zone of days; left out: the installation's.")


class AnswerOut(Schema):
    """The answer, with the keys of its analysis. Counts of 1 to 4 people are null for those who see totals only."""


class QuestionRefusalOut(Schema):
    """What is wrong with the question."""

    error: str
    detail: str
    key: str = Field(description="The place in the question, such as steps[1].event.")
    expected: str = Field(description="What should stand there.")
    got: str = Field(description="What stood there; may be empty.")


class RefusalOut(Schema):
    """Why the request as a whole was refused; nothing was stored."""

    error: str
    detail: str


class SeatIn(Schema):
    """Somebody is given a product. Whose seat it is: person, staff_number or email. Unknown fields are refused."""

    product: str = Field(max_length=100, description="Slug of the product.")
    company: str | None = Field(None, description="Slug of the company, where a connection serves several.")
    person: str | None = Field(None, max_length=255, description="The id of the holder in the product's source.")
    staff_number: str | None = Field(None, max_length=255)
    email: str | None = Field(None, max_length=255)
    name: str | None = Field(None, max_length=200, description="Shown while the holder is not known.")
    module: str | None = Field(None, max_length=100)
    issued: date | None = Field(None, description="Left out: today, for a seat that is not known yet.")
    invited: date | None = None
    until: date | None = Field(None, description="The first day without the seat.")


class SeatsIn(Schema):
    """Up to 5,000 seats."""

    seats: list[SeatIn] = Field(max_length=5000)


class SeatFateOut(Schema):
    """What became of one seat."""

    fate: Literal["new", "changed", "known", "refused"]
    reason: str = Field(description="For refused: a sentence.")


class SeatCountsOut(Schema):
    """How many of each fate."""

    new: int
    changed: int
    known: int
    refused: int


class SeatReportOut(Schema):
    """The fate of each seat, in the order sent; all is on disk."""

    counts: SeatCountsOut
    fates: list[SeatFateOut]


class RewardOut(Schema):
    """One reward on offer to the person of the token."""

    id: int
    kind: str
    name_en: str
    name_zh: str
    price: int
    left: int | None = Field(description="null: as many as wanted.")
    missing: int = Field(description="Points missing to its price.")
    refused: str = Field(description="The code of the refusal a request would meet now; empty: none.")


class RewardsOut(Schema):
    """What the person of the token can ask for, the cheapest first."""

    available: int
    rewards: list[RewardOut]


class RedemptionOut(Schema):
    """One thing asked for. A code is never among it."""

    id: int
    reward: int
    price: int
    redeemed: int | None
    state: Literal["requested", "approved", "fulfilled", "rejected", "cancelled", "timed_out", "refunded"]
    requested_at: datetime
    times_out_at: datetime
    resolved_at: datetime | None


class RedemptionsOut(Schema):
    """What the person of the token asked for, newest first, at most 500."""

    redemptions: list[RedemptionOut]


class PrivilegeOut(Schema):
    """What a level allows; it is held before the date `until`, or as long as the level is held."""

    code: str
    name_en: str
    name_zh: str
    level: str
    until: date | None


class BadgeOut(Schema):
    """One badge that is held."""

    id: int
    name_en: str
    name_zh: str
    given_at: datetime


class MeritsOut(Schema):
    """What the person of the token holds; `level` is null where the rules have none or none is reached."""

    level: str | None
    since: datetime | None
    qualifying: int
    privileges: list[PrivilegeOut]
    badges: list[BadgeOut]


class LeaveOut(Schema):
    """Extra leave somebody redeemed; `id` stays the same whenever it is told again."""

    id: int
    person: str
    staff_number: str
    email: str
    days: float
    from_date: date | None
    state: Literal["requested", "approved", "fulfilled", "rejected", "cancelled", "timed_out", "refunded"]
    requested_at: datetime
    resolved_at: datetime | None


class LeaveRequestsOut(Schema):
    """Extra leave of one company, by number."""

    leave: list[LeaveOut]


class WidgetTokenIn(Schema):
    """Whose points shall be shown."""

    person: str = Field(max_length=255, description="The id by which the key's connection calls the person.")
    source: str | None = Field(None, description="Short name of the key's connection; another is refused.")
    company: str | None = Field(None, description="Slug of the company, where the connection serves several.")
    seconds: int = Field(900, ge=30, le=900, description="For how long.")


class WidgetTokenOut(Schema):
    """A token for the pages of one person."""

    token: str
    expires_at: datetime


class WidgetLevelOut(Schema):
    """Where the person stands on the ladder."""

    name: str
    number: int
    done: int = Field(description="Points since the level was reached.")
    whole: int = Field(description="Points from this level to the next.")
    missing: int
    next: str


class WidgetEntryOut(Schema):
    """One thing that gave points."""

    id: int
    points: int
    title: str
    sub: str
    href: str = Field(description="Where it is said why.")
    new: bool = Field(description="Later than `after`.")


class WidgetRankOut(Schema):
    """The place on this month's board."""

    rank: int
    of: int


class WidgetStepOut(Schema):
    """The deed that pays most now."""

    text: str
    points: int


class WidgetOut(Schema):
    """What the widget shows of one person at one company."""

    points: int = Field(description="To spend.")
    pending: int = Field(description="Given, and not to spend yet.")
    today: int
    level: WidgetLevelOut | None
    entries: list[WidgetEntryOut]
    last: int = Field(description="Number of the last entry.")
    home: str = Field(description="The page of one's points.")
    rank: WidgetRankOut | None = Field(None, description="With `more=1`.")
    next: WidgetStepOut | None = Field(None, description="With `more=1`.")
