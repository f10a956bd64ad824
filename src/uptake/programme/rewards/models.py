"""Rewards, redemptions with everything that was done to them, codes (encrypted), special points, and budgets given."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from uptake.directory.models import Organization, Person, User
from uptake.directory.viewer import Deed, Viewer, ids_of


class RewardKind(models.TextChoices):
    GOODS = "goods", _("Goods")
    COUPON = "coupon", _("Coupon")
    SERVICE = "service", _("Service")
    GIFT_CARD = "gift_card", _("Gift card")
    LEAVE = "leave", _("Extra leave")
    PRIVILEGE = "privilege", _("Privilege")


KINDS_WITH_CODES = (RewardKind.COUPON, RewardKind.GIFT_CARD)


def reward_kinds() -> list[tuple[str, Any]]:
    return list(RewardKind.choices)


class State(models.TextChoices):
    """Where a redemption stands."""

    REQUESTED = "requested", _("Requested")
    APPROVED = "approved", _("Approved")
    FULFILLED = "fulfilled", _("Fulfilled")
    REJECTED = "rejected", _("Turned down")
    CANCELLED = "cancelled", _("Cancelled")
    TIMED_OUT = "timed_out", _("Timed out")
    REFUNDED = "refunded", _("Refunded")


OPEN = (State.REQUESTED, State.APPROVED)
"""Their points are held."""
TAKEN = (*OPEN, State.FULFILLED)
"""They count for the stock and for the person's limit."""


def states() -> list[tuple[str, Any]]:
    return list(State.choices)


class RewardQuerySet(models.QuerySet["Reward"]):
    def visible_to(self, viewer: Viewer) -> RewardQuerySet:
        """What is on offer where one belongs, and all rewards of places whose desk one keeps."""
        own = {key for path in viewer.places for key in ids_of(path)}
        shown = Q(company_id__in=own, hidden=False)
        return self.filter(shown | viewer.within("company__path", Deed.MANAGE_RULES))

    def on_offer(self, day: date) -> RewardQuerySet:
        """Not hidden, and inside its window on the date."""
        begun = Q(from_date__isnull=True) | Q(from_date__lte=day)
        return self.filter(begun, Q(until_date__isnull=True) | Q(until_date__gt=day), hidden=False)


class Reward(models.Model):
    """One thing on offer to the people of a company. `taken` is counted by the doors and held to the stock by CHECK."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="rewards")
    kind = models.CharField(max_length=16, choices=reward_kinds)
    name_en = models.CharField(max_length=120, blank=True)
    name_zh = models.CharField(max_length=120, blank=True)
    """At least one of the two; the other language shows it as well."""
    text_en = models.TextField(max_length=2000, blank=True)
    text_zh = models.TextField(max_length=2000, blank=True)
    price = models.PositiveIntegerField()
    """Points; what is asked for at this price keeps it."""
    stock = models.PositiveIntegerField(null=True, blank=True)
    """How many there ever were; empty: as many as wanted. With codes: how many codes may be given out."""
    taken = models.PositiveIntegerField(default=0)
    """Requested, approved and fulfilled ones."""
    kept = models.PositiveIntegerField(default=0)
    """Kept for those whose turn in the waiting line it is: for all others they count as taken."""
    has_line = models.BooleanField(default=False)
    """Whether people may wait in line where none is left."""
    keep_days = models.PositiveSmallIntegerField(default=3)
    """So many days a piece is kept for whose turn it is."""
    per_person = models.PositiveIntegerField(null=True, blank=True)
    """How many one person may have; empty: any number."""
    level = models.CharField(max_length=100, blank=True)
    """The name of the level one needs; empty: none."""
    from_date = models.DateField(null=True, blank=True)
    until_date = models.DateField(null=True, blank=True)
    """On offer on [from_date, until_date)."""
    needs_approval = models.BooleanField(default=False)
    with_codes = models.BooleanField(default=False)
    """Each redemption is given one code of the pool; without approval at once."""
    leave_days = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    """Of extra leave: how many days one redemption is."""
    hidden = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects = RewardQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="reward_has_a_name", condition=~Q(name_en="", name_zh="")),
            models.CheckConstraint(
                name="reward_never_oversold", condition=Q(stock__isnull=True) | Q(taken__lte=F("stock") - F("kept"))
            ),
            models.CheckConstraint(
                name="reward_window_is_a_span",
                condition=Q(from_date__isnull=True) | Q(until_date__isnull=True) | Q(from_date__lt=F("until_date")),
            ),
            models.CheckConstraint(
                name="reward_codes_are_counted",
                condition=Q(with_codes=False) | Q(stock__isnull=False, kind__in=["coupon", "gift_card"]),
            ),
            models.CheckConstraint(
                name="reward_of_leave_has_days",
                condition=Q(kind="leave", leave_days__gt=0) | (~Q(kind="leave") & Q(leave_days__isnull=True)),
            ),
        ]
        indexes = [models.Index(fields=["company", "price"], name="reward_by_company")]

    def __str__(self) -> str:
        return self.name_en or self.name_zh

    def name_in(self, language: str) -> str:
        """Its name in the language, or in the one it has."""
        first, second = (self.name_zh, self.name_en) if language.startswith("zh") else (self.name_en, self.name_zh)
        return first or second

    def text_in(self, language: str) -> str:
        """What it is, in the language, or in the one it has."""
        first, second = (self.text_zh, self.text_en) if language.startswith("zh") else (self.text_en, self.text_zh)
        return first or second

    @property
    def left(self) -> int | None:
        """How many are left for anybody; None: any number."""
        return None if self.stock is None else self.stock - self.taken - self.kept

    @property
    def is_for_a_time(self) -> bool:
        """Whether the date decides if it is on offer."""
        return self.from_date is not None or self.until_date is not None

    def is_on_offer(self, day: date) -> bool:
        begun = self.from_date is None or self.from_date <= day
        return begun and (self.until_date is None or day < self.until_date) and not self.hidden


class Picture(models.Model):
    """The picture of a reward, checked by type and size, without what cameras write beside it."""

    reward = models.OneToOneField(Reward, models.CASCADE, primary_key=True, related_name="picture")
    media_type = models.CharField(max_length=20)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)


class RedemptionQuerySet(models.QuerySet["Redemption"]):
    def visible_to(self, viewer: Viewer) -> RedemptionQuerySet:
        """One's own, and those of companies whose desk one keeps."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        return self.filter(own | viewer.within("company__path", Deed.MANAGE_RULES))

    def at_desk_of(self, viewer: Viewer) -> RedemptionQuerySet:
        """Those of companies whose desk one keeps."""
        return self.filter(viewer.within("company__path", Deed.MANAGE_RULES))

    def open(self) -> RedemptionQuerySet:
        return self.filter(state__in=OPEN)


class Redemption(models.Model):
    """One person's claim on a reward, at the price it had. Its points are the ledger's hold `redemption/<id>`."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="redemptions")
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="redemptions")
    key = models.CharField(max_length=200)
    """Makes a repetition harmless."""
    fingerprint = models.CharField(max_length=64)
    price = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=states, default=State.REQUESTED)
    points = models.PositiveIntegerField(null=True, blank=True)
    """What was fulfilled of the price."""
    wish = models.CharField(max_length=500, blank=True)
    """What the person wrote at the request."""
    leave_from_date = models.DateField(null=True, blank=True)
    """Of extra leave: the first day wished."""
    answer = models.CharField(max_length=1000, blank=True)
    """What the desk wrote back."""
    cause = models.CharField(max_length=40, blank=True)
    """What it was turned down for where the desk did not do so of itself: `gaming/<id>` of a finding."""
    requested_at = models.DateTimeField()
    times_out_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    exported_at = models.DateTimeField(null=True, blank=True)
    """Of extra leave: when HR first got it."""

    objects = RedemptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "key"], name="redemption_once_per_key"),
            models.CheckConstraint(
                name="redemption_fulfilled_at_most_whole",
                condition=Q(points__isnull=True) | Q(points__lte=F("price"), state__in=["fulfilled", "refunded"]),
            ),
            models.CheckConstraint(
                name="redemption_fulfilled_has_points",
                condition=Q(points__isnull=False) | ~Q(state__in=["fulfilled", "refunded"]),
            ),
            models.CheckConstraint(
                name="redemption_open_or_resolved",
                condition=Q(state__in=["requested", "approved"], resolved_at__isnull=True)
                | (~Q(state__in=["requested", "approved"]) & Q(resolved_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-requested_at"], name="redemption_of_person"),
            models.Index(fields=["reward", "person", "state"], name="redemption_counted"),
            models.Index(fields=["company", "state", "requested_at"], name="redemption_queue"),
            models.Index(
                fields=["times_out_at"], condition=Q(state__in=["requested", "approved"]), name="redemption_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reward} {self.state}"

    @property
    def hold(self) -> str:
        """The key of its hold in the ledger."""
        return f"redemption/{self.pk}"

    def state_at(self, now: datetime) -> str:
        """Where it stands, also where no job has come by yet."""
        return State.TIMED_OUT if self.state in OPEN and self.times_out_at <= now else self.state


class Standing(models.TextChoices):
    """What became of a place in a waiting line."""

    WAITING = "waiting", _("Waits in line")
    KEPT = "kept", _("One is kept")
    TAKEN = "taken", _("Redeemed")
    LEFT = "left", pgettext_lazy("of a waiting line", "Left the line")
    LAPSED = "lapsed", _("Not fetched in time")
    CLOSED = "closed", _("The line was closed")


IN_LINE = (Standing.WAITING, Standing.KEPT)


def standings() -> list[tuple[str, Any]]:
    return list(Standing.choices)


class WaitQuerySet(models.QuerySet["Wait"]):
    def visible_to(self, viewer: Viewer) -> WaitQuerySet:
        """One's own, and those of companies whose desk one keeps."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        return self.filter(own | viewer.within("company__path", Deed.MANAGE_RULES))

    def in_line(self) -> WaitQuerySet:
        return self.filter(standing__in=IN_LINE)


class Wait(models.Model):
    """A person's place in the line for a reward that is out of stock. No points are held for it."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="waits")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    standing = models.CharField(max_length=8, choices=standings, default=Standing.WAITING)
    joined_at = models.DateTimeField()
    kept_at = models.DateTimeField(null=True, blank=True)
    """When it was this person's turn."""
    kept_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = WaitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reward", "person"], condition=Q(standing__in=["waiting", "kept"]), name="wait_once_in_line"
            ),
            models.CheckConstraint(
                name="wait_kept_until_a_time", condition=~Q(standing="kept") | Q(kept_until__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["reward", "id"], condition=Q(standing="waiting"), name="wait_next"),
            models.Index(fields=["kept_until"], condition=Q(standing="kept"), name="wait_due"),
            models.Index(fields=["person", "standing"], name="wait_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.reward_id} {self.standing}"


class StepQuerySet(models.QuerySet["Step"]):
    def visible_to(self, viewer: Viewer) -> StepQuerySet:
        return self.filter(redemption__in=Redemption.objects.visible_to(viewer))


class Step(models.Model):
    """One thing done to a redemption. Insert-only, by trigger."""

    redemption = models.ForeignKey(Redemption, models.PROTECT, related_name="steps")
    number = models.PositiveSmallIntegerField()
    deed = models.CharField(max_length=12, choices=states)
    """The state it brought about."""
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    """Empty: time, or the product by itself."""
    points = models.PositiveIntegerField()
    at = models.DateTimeField()

    objects = StepQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["redemption", "number"], name="step_once_per_number"),
            models.UniqueConstraint(fields=["redemption", "key"], name="step_once_per_key"),
        ]


class Attachment(models.Model):
    """A file the desk sent with a fulfilled redemption, for its person and the desk only."""

    redemption = models.OneToOneField(Redemption, models.CASCADE, primary_key=True, related_name="attachment")
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=40)
    content = models.BinaryField()


class Code(models.Model):
    """One code of a pool, encrypted. Given to at most one redemption, and never to a second one."""

    reward = models.ForeignKey(Reward, models.PROTECT, related_name="codes")
    sealed = models.BinaryField()
    digest = models.CharField(max_length=64)
    """A keyed hash, by which the same code is known when it is imported again."""
    redemption = models.OneToOneField(Redemption, models.PROTECT, null=True, blank=True, related_name="code")
    imported_at = models.DateTimeField()
    given_at = models.DateTimeField(null=True, blank=True)
    shown_at = models.DateTimeField(null=True, blank=True)
    """When its owner first saw it."""
    void_at = models.DateTimeField(null=True, blank=True)
    """Refunded after it was given: nobody else may get it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reward", "digest"], name="code_once_per_reward"),
            models.CheckConstraint(
                name="code_given_to_a_redemption",
                condition=Q(redemption__isnull=True, given_at__isnull=True, void_at__isnull=True)
                | Q(redemption__isnull=False, given_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["reward", "id"], condition=Q(redemption__isnull=True), name="code_free")]


class GrantState(models.TextChoices):
    ASKED = "asked", _("Asked for")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Turned down")
    WITHDRAWN = "withdrawn", _("Withdrawn")


def grant_states() -> list[tuple[str, Any]]:
    return list(GrantState.choices)


class SpecialGrantQuerySet(models.QuerySet["SpecialGrant"]):
    def visible_to(self, viewer: Viewer) -> SpecialGrantQuerySet:
        """Those for oneself once they were given, those one asked for, and those of companies whose desk one keeps."""
        own = Q(pk__in=())
        if viewer.person_id:
            own = Q(person_id=viewer.person_id, state=GrantState.APPROVED)
        if viewer.user_id:
            own |= Q(asked_by_id=viewer.user_id)
        return self.filter(own | viewer.within("company__path", Deed.MANAGE_RULES))


class SpecialGrant(models.Model):
    """Points for work that no event shows: asked by one, approved by another, paid from a department's budget."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    department = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    """Whose budget pays."""
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    points = models.PositiveIntegerField()
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=12, choices=grant_states, default=GrantState.ASKED)
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    asked_by_person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_by_person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    date = models.DateField(null=True, blank=True)
    """The business date on which it was given: it counts for boards on it."""

    objects = SpecialGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "key"], name="special_once_per_key"),
            models.CheckConstraint(name="special_gives_points", condition=Q(points__gt=0)),
            models.CheckConstraint(name="special_has_a_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="special_asked_by_another",
                condition=Q(asked_by_person__isnull=True) | ~Q(asked_by_person=F("person")),
            ),
            models.CheckConstraint(
                name="special_given_by_another",
                condition=~Q(state="approved")
                | Q(decided_by_person__isnull=True)
                | (
                    ~Q(decided_by_person=F("person"))
                    & (Q(asked_by_person__isnull=True) | ~Q(decided_by_person=F("asked_by_person")))
                ),
            ),
            models.CheckConstraint(
                name="special_asked_or_decided",
                condition=Q(state="asked", decided_at__isnull=True) | (~Q(state="asked") & Q(decided_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["company", "state", "asked_at"], name="special_queue")]

    def __str__(self) -> str:
        return f"{self.person} {self.points}"

    @property
    def lot(self) -> str:
        """The key of its grant and of its lot in the ledger."""
        return f"special/{self.pk}"


class BudgetQuerySet(models.QuerySet["BudgetChange"]):
    def visible_to(self, viewer: Viewer) -> BudgetQuerySet:
        return self.filter(viewer.within("company__path", Deed.MANAGE_RULES))


class BudgetChange(models.Model):
    """Points put into a department's budget, or taken out of it again. Insert-only, by trigger."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    department = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    key = models.CharField(max_length=200)
    points = models.IntegerField()
    """Below 0: taken out."""
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    objects = BudgetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "key"], name="budget_once_per_key"),
            models.CheckConstraint(name="budget_changes", condition=~Q(points=0)),
        ]
