"""Accounts, transfers, lots and holds. What is record is insert-only by trigger; what is kept up to date is a cache
that `verify` compares with the record."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from uptake.ledger.accounts import ISSUED


class Kind(models.TextChoices):
    """What a transfer does, and what an entry asked for."""

    GRANTED = "granted", _("Granted")
    TAKEN_BACK = "taken_back", _("Taken back")
    DEBT_INCURRED = "debt_incurred", _("Owed")
    DEBT_PAID = "debt_paid", _("Debt paid")
    DEBT_CLEARED = "debt_cleared", _("Debt cleared")
    MATURED = "matured", _("Became available")
    EXPIRED = "expired", _("Expired")
    HELD = "held", _("Reserved")
    SETTLED = "settled", _("Redeemed")
    RELEASED = "released", _("Given back")
    TIMED_OUT = "timed_out", _("Given back after the deadline")
    REFUNDED = "refunded", _("Refunded")
    MOVED = "moved", _("Moved")
    FORFEITED = "forfeited", _("Forfeited")
    WRITTEN_OFF = "written_off", _("Debt written off")
    REVIVED = "revived", _("Valid again")


def kinds() -> list[tuple[str, Any]]:
    return list(Kind.choices)


class Account(models.Model):
    """Where points stand. `balance` is a cache of the transfers; the issuing account's stays 0 and is derived."""

    id = models.BigAutoField(primary_key=True)
    book = models.BigIntegerField()
    """The company whose points these are."""
    code = models.CharField(max_length=200)
    balance = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["book", "code"], name="account_once_per_book"),
            models.CheckConstraint(
                condition=Q(balance__gte=0) | Q(code=ISSUED), name="only_the_issuing_account_below_zero"
            ),
        ]


class Lot(models.Model):
    """Points earned together, which become available and expire together. Never deleted.

    Its dates never change, except that the last one of a lot with `inactive_days` may become later.
    """

    id = models.BigAutoField(primary_key=True)
    book = models.BigIntegerField()
    key = models.CharField(max_length=255)
    owner = models.CharField(max_length=100)
    """The person, as the caller names one: opaque."""
    happened_at = models.DateTimeField()
    source = models.CharField(max_length=100, blank=True)
    event_key = models.CharField(max_length=255, blank=True)
    rule_order = models.IntegerField(default=0)
    """With the three before it: the canonical order of what earned the lot."""
    available_from = models.DateTimeField()
    last_date = models.DateField(null=True, blank=True)
    """The last business date on which the points can be spent; empty: they never expire."""
    expires_at = models.DateTimeField(null=True, blank=True)
    """The start of the business date after it."""
    inactive_days = models.PositiveIntegerField(null=True, blank=True)
    """Every deed of the owner by the last date makes it so many days after the deed; empty: it stays."""
    renews = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    """The expired lot whose points were given back with days of grace."""

    amount = models.BigIntegerField(default=0)
    """All that ever came into the lot; the seven counts below say where it is now."""
    pending = models.BigIntegerField(default=0)
    available = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    redeemed = models.BigIntegerField(default=0)
    expired = models.BigIntegerField(default=0)
    taken = models.BigIntegerField(default=0)
    """Taken back, paid as debt or forfeited."""
    renewed = models.BigIntegerField(default=0)
    """Given back after the lot expired, into a new lot."""
    reversed = models.BigIntegerField(default=0)
    """How much of the grants of this lot was taken back, from wherever the points were found."""
    reversed_expired = models.BigIntegerField(default=0)
    """The part of `reversed` that had expired, so that nothing moved."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["book", "key"], name="lot_once_per_key"),
            models.CheckConstraint(
                condition=Q(
                    amount=F("pending")
                    + F("available")
                    + F("held")
                    + F("redeemed")
                    + F("expired")
                    + F("taken")
                    + F("renewed")
                ),
                name="lot_loses_no_point",
            ),
            models.CheckConstraint(
                condition=Q(
                    pending__gte=0,
                    available__gte=0,
                    held__gte=0,
                    redeemed__gte=0,
                    expired__gte=0,
                    taken__gte=0,
                    renewed__gte=0,
                ),
                name="lot_never_overdrawn",
            ),
            models.CheckConstraint(
                condition=Q(
                    reversed__gte=F("reversed_expired"), reversed__lte=F("amount"), reversed_expired__lte=F("expired")
                )
                & Q(reversed_expired__gte=0),
                name="lot_reversed_at_most_whole",
            ),
            models.CheckConstraint(
                condition=Q(last_date__isnull=True, expires_at__isnull=True)
                | Q(last_date__isnull=False, expires_at__isnull=False),
                name="lot_expires_at_the_end_of_its_last_date",
            ),
        ]
        indexes = [
            models.Index(
                fields=["book", "owner", "last_date"], condition=Q(inactive_days__isnull=False), name="lot_postponed"
            ),
            models.Index(fields=["book", "owner"], condition=Q(available__gt=0), name="lot_spendable"),
            models.Index(fields=["available_from"], condition=Q(pending__gt=0), name="lot_maturing"),
            models.Index(
                fields=["expires_at"], condition=Q(available__gt=0, expires_at__isnull=False), name="lot_expiring"
            ),
        ]


class Entry(models.Model):
    """One deed at a door, known by its key: what a person reads in the history of points. Insert-only, by trigger."""

    id = models.BigAutoField(primary_key=True)
    book = models.BigIntegerField()
    key = models.CharField(max_length=255)
    kind = models.CharField(max_length=16, choices=kinds)
    fingerprint = models.CharField(max_length=64)
    """Of the content without times and explanation: the same key with another fingerprint is refused."""
    owner = models.CharField(max_length=100, blank=True)
    lot = models.ForeignKey(
        Lot, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    """The lot granted to or taken back from."""
    points = models.BigIntegerField()
    """How many points the deed was about; `kind` tells the direction."""
    unmoved = models.BigIntegerField(default=0)
    """Of a take-back: the part that had expired already."""
    reason = models.CharField(max_length=200)
    cause = models.CharField(max_length=255)
    explanation = models.JSONField(default=dict)
    """Only where nothing moved; otherwise the first transfer carries it."""
    effective_at = models.DateTimeField()
    posted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["book", "key"], name="entry_once_per_key"),
            models.CheckConstraint(condition=Q(points__gte=0), name="entry_of_points"),
            models.CheckConstraint(
                condition=Q(unmoved__gte=0, unmoved__lte=F("points")), name="entry_unmoved_is_a_part"
            ),
            models.CheckConstraint(condition=~Q(cause=""), name="entry_names_its_cause"),
        ]
        indexes = [models.Index(fields=["owner", "book", "id"], name="entry_of_person")]


class Transfer(models.Model):
    """One immutable move of points between two accounts of one book. Insert-only, by trigger, and chained by hash."""

    id = models.BigAutoField(primary_key=True)
    book = models.BigIntegerField()
    seq = models.BigIntegerField()
    """1, 2, 3 … in the book, without a gap."""
    key = models.CharField(max_length=255)
    """The key of its entry."""
    part = models.IntegerField()
    """1, 2, 3 … in the entry."""
    kind = models.CharField(max_length=16, choices=kinds)
    reason = models.CharField(max_length=200)
    cause = models.CharField(max_length=255)
    """What brought it about: `event/<id>`, `request/<id>`, `time`."""
    explanation = models.JSONField(default=dict)
    """Machine-readable; of the second and later transfers of an entry: {"see": the entry's key}."""
    source = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    target = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    amount = models.BigIntegerField()
    lot = models.ForeignKey(
        Lot, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    new_lot = models.ForeignKey(
        Lot, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    """Where the points arrive in another lot than they left: given back after expiry."""
    effective_at = models.DateTimeField()
    posted_at = models.DateTimeField()
    """Ledger time: strictly increasing in the book."""
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["book", "seq"], name="transfer_once_per_sequence"),
            models.UniqueConstraint(fields=["book", "key", "part"], name="transfer_once_per_key"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_moves_points"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="transfer_has_two_ends"),
            models.CheckConstraint(condition=~Q(cause=""), name="transfer_names_its_cause"),
        ]


class ChainHead(models.Model):
    """Where the chain of a book stands. Locking it is what makes the doors of one book take turns."""

    book = models.BigIntegerField(primary_key=True)
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)
    clock_at = models.DateTimeField(null=True, blank=True)
    """The latest `now` any door was given: ledger time never goes back."""
    posted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    """Since when nothing is written in the book any more, because something in it does not hold; empty: it is open."""
    closed_why = models.CharField(max_length=300, null=True, blank=True)
    """Empty as `closed_at` is: SQLite adds only such a column without making the table, and its triggers, anew."""


class Hold(models.Model):
    """Points reserved for one redemption. Its transfers say from which lots. Insert-only, by trigger."""

    id = models.BigAutoField(primary_key=True)
    book = models.BigIntegerField()
    key = models.CharField(max_length=255)
    owner = models.CharField(max_length=100)
    points = models.BigIntegerField()
    held_at = models.DateTimeField()
    times_out_at = models.DateTimeField(null=True, blank=True, db_index=True)
    grace_last_date = models.DateField(null=True, blank=True)
    """When it times out, points whose lot has expired can be spent through this date."""
    grace_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["book", "key"], name="hold_once_per_key"),
            models.CheckConstraint(condition=Q(points__gte=0), name="hold_of_points"),
            models.CheckConstraint(
                condition=Q(times_out_at__isnull=True)
                | Q(grace_last_date__isnull=False, grace_expires_at__isnull=False),
                name="hold_that_times_out_has_grace",
            ),
        ]
        indexes = [models.Index(fields=["book", "owner"], name="hold_of_person")]


class Deadline(models.Model):
    """When a hold that is still open times out. Gone once it is resolved, so that nobody reads past holds for it."""

    hold = models.OneToOneField(Hold, models.PROTECT, primary_key=True, related_name="deadline", db_constraint=False)
    book = models.BigIntegerField()
    owner = models.CharField(max_length=100)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["book", "owner"], name="deadline_of_person")]


class Resolution(models.Model):
    """How a hold ended: settled (whole or in part), released or timed out; once. Insert-only, by trigger."""

    hold = models.OneToOneField(Hold, models.PROTECT, primary_key=True, related_name="resolution")
    kind = models.CharField(max_length=16, choices=kinds)
    key = models.CharField(max_length=255)
    """Of the entry."""
    settled = models.BigIntegerField()
    """Points redeemed; the rest of the hold went back."""
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(settled__gte=0), name="resolution_settles_points")]


class Refund(models.Model):
    """A settled hold was given back whole; once. Insert-only, by trigger."""

    resolution = models.OneToOneField(Resolution, models.PROTECT, primary_key=True, related_name="refund")
    key = models.CharField(max_length=255)
    at = models.DateTimeField()
