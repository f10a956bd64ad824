"""Scores on boards and who stays nameless; badges, challenges, prizes of boards, and what levels open."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization, Person, User
from uptake.directory.viewer import Deed, Viewer, ids_of

BAND = 16
"""Points of one band."""


class ScoreQuerySet(models.QuerySet["Score"]):
    def visible_to(self, viewer: Viewer) -> ScoreQuerySet:
        """Scores at the companies one belongs to, and where one may see people: a board is for all who are on it."""
        own = {key for path in viewer.places for key in ids_of(path)}
        return self.filter(Q(place__company_id__in=own) | viewer.within("place__path", Deed.SEE_PEOPLE))

    def visible_at(self, place: Organization, viewer: Viewer) -> ScoreQuerySet:
        """As `visible_to`, for one place: asked of the viewer, not of every row."""
        return self.filter(place=place) if self.may_read(place, viewer) else self.none()

    def may_read(self, place: Organization, viewer: Viewer) -> bool:
        """Whether the viewer sees the boards of a place."""
        own = {key for path in viewer.places for key in ids_of(path)}
        return place.company_id in own or place.path.startswith(viewer.paths(Deed.SEE_PEOPLE))

    def on(self, place: Organization, period: str, starts: date) -> ScoreQuerySet:
        """The lines of one board, the first first. Within a tie whoever reached the score earlier, then by id."""
        return self.filter(place=place, period=period, starts=starts, shown__gt=0).order_by(
            "-shown", "shown_at", "person_id"
        )


class Score(models.Model):
    """What a person has on one board: that of a company or of a department in it, over one period."""

    id = models.BigAutoField(primary_key=True)
    place = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    """A company, or what lies directly below it: then what was earned while belonging there."""
    period = models.CharField(max_length=8)
    """week, month, quarter, year or ever."""
    starts = models.DateField()
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    points = models.BigIntegerField()
    """What it is now."""
    latest_at = models.DateTimeField(null=True, blank=True)
    """When the latest that brought points happened."""
    shown = models.BigIntegerField()
    """What the board says: as `points`, until the board closes."""
    shown_at = models.DateTimeField(null=True, blank=True)

    objects = ScoreQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "period", "starts", "person"], name="score_once_per_board"),
        ]
        indexes = [
            models.Index(
                "place",
                "period",
                "starts",
                F("shown").desc(),
                "shown_at",
                "person",
                name="score_by_rank",
            ),
            models.Index(fields=["place", "period", "starts"], condition=~Q(shown=F("points")), name="score_adjusted"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.period} {self.starts} {self.shown}"


class Band(models.Model):
    """How many people have from 16 × `number` points to the next multiple on a board, so that ranks need no counting
    through everybody."""

    id = models.BigAutoField(primary_key=True)
    place = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    period = models.CharField(max_length=8)
    starts = models.DateField()
    number = models.BigIntegerField()
    people = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "period", "starts", "number"], name="band_once_per_board"),
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.starts} {self.number * BAND}: {self.people}"


class Nameless(models.Model):
    """A person who stands on boards as "member", without a name."""

    person = models.OneToOneField(Person, models.CASCADE, primary_key=True, related_name="+")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.person_id)


class Named(models.Model):
    """What has a name and a sentence in both languages, or at least in one."""

    name_en = models.CharField(max_length=80, blank=True)
    name_zh = models.CharField(max_length=80, blank=True)
    text_en = models.CharField(max_length=500, blank=True)
    text_zh = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name_en or self.name_zh

    def name_in(self, language: str) -> str:
        """Its name in the language, or in the one it has."""
        first, second = (self.name_zh, self.name_en) if language.startswith("zh") else (self.name_en, self.name_zh)
        return first or second

    def text_in(self, language: str) -> str:
        """Its sentence in the language, or in the one it has."""
        first, second = (self.text_zh, self.text_en) if language.startswith("zh") else (self.text_en, self.text_zh)
        return first or second


HAS_A_NAME = ~Q(name_en="", name_zh="")
KEEPING = (Deed.MANAGE_PEOPLE, Deed.MANAGE_RULES)
"""Whoever may do one of these keeps the badges, challenges and prizes of a company."""
ICONS = (
    "trophy", "crown", "checks", "circle-check", "shield-check", "thumb-up", "gauge", "activity", "trending-up",
    "messages", "tool", "building-factory-2", "clock", "file-text", "users", "gift",
)  # fmt: skip
"""What badges may look like: icons that are shipped."""


def own_places(viewer: Viewer) -> set[int]:
    """The places the viewer belongs to, and all above them."""
    return {key for path in viewer.places for key in ids_of(path)}


class BadgeKind(models.TextChoices):
    """What a badge is given for."""

    DEED = "deed", _("The nth time something was done")
    STREAK = "streak", _("Working days in a row")
    LEVEL = "level", _("A level reached")
    RANK = "rank", _("A rank on a board that closed")
    CHALLENGE = "challenge", _("Challenges met")
    HAND = "hand", _("Given by hand, with a reason")


def badge_kinds() -> list[tuple[str, Any]]:
    return list(BadgeKind.choices)


class BadgeQuerySet(models.QuerySet["Badge"]):
    def visible_to(self, viewer: Viewer) -> BadgeQuerySet:
        """Those of one's own company, and of companies whose badges one keeps or whose people one sees."""
        seen = viewer.within("company__path", *KEEPING, Deed.SEE_PEOPLE)
        return self.filter(Q(company_id__in=own_places(viewer)) | seen)


class Badge(Named):
    """A mark of merit of a company, given once to whoever fulfils its condition."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    icon = models.CharField(max_length=40, default="trophy")
    kind = models.CharField(max_length=16, choices=badge_kinds)
    event_name = models.CharField(max_length=200, blank=True)
    """Of what is counted, for deeds and streaks."""
    count = models.PositiveIntegerField(default=1)
    """How many deeds, days in a row or challenges; of a rank: the last that counts."""
    level = models.CharField(max_length=100, blank=True)
    period = models.CharField(max_length=8, blank=True)
    """Of the company's board, for a rank."""
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, blank=True)
    """When everything from before was looked through; empty: it has to be."""
    retired_at = models.DateTimeField(null=True, blank=True)
    """Given no more; who has it keeps it."""

    objects = BadgeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="badge_has_a_name", condition=HAS_A_NAME),
            models.CheckConstraint(name="badge_counts_from_one", condition=Q(count__gte=1)),
            models.UniqueConstraint(fields=["company", "name_en", "name_zh"], name="badge_once_by_name"),
        ]


class GivenBadgeQuerySet(models.QuerySet["GivenBadge"]):
    def visible_to(self, viewer: Viewer) -> GivenBadgeQuerySet:
        """One's own; those of people one sees; who keeps badges sees those given by hand."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        by_hand = Q(badge__kind=BadgeKind.HAND) & viewer.within("badge__company__path", *KEEPING)
        return self.filter(own | by_hand | viewer.within("badge__company__path", Deed.SEE_PEOPLE))

    def held(self) -> GivenBadgeQuerySet:
        return self.filter(taken_back_at__isnull=True)

    def told_at(self, viewer: Viewer, company: Organization) -> GivenBadgeQuerySet:
        """Those that colleagues read of: held, of one's own company or one whose people one sees, and not of who hides
        their name."""
        if not any(place.startswith(company.path) for place in viewer.places):
            return self.visible_to(viewer).held().filter(badge__company=company)
        hidden = Nameless.objects.values("person_id")
        return self.held().filter(badge__company=company).exclude(person_id__in=hidden)


class GivenBadge(models.Model):
    """A badge one person has, once; or had, until what it was given for turned out not to be."""

    badge = models.ForeignKey(Badge, models.PROTECT, related_name="given")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    given_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    """Empty: by its condition."""
    reason = models.CharField(max_length=300, blank=True)
    open_until = models.DateTimeField(null=True, blank=True)
    """Until then it is taken back if what it was given for does not stand any more; empty: it stays."""
    taken_back_at = models.DateTimeField(null=True, blank=True)

    objects = GivenBadgeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["badge", "person"], name="badge_once_per_person"),
        ]
        indexes = [
            models.Index(fields=["open_until"], condition=Q(open_until__isnull=False), name="badge_still_open"),
        ]

    def __str__(self) -> str:
        return f"{self.badge_id} {self.person_id}"


class ChallengeState(models.TextChoices):
    """Where a challenge stands."""

    DRAFT = "draft", _("Draft")
    OPEN = "open", _("Under way")
    ENDED = "ended", _("Ended, waits to be verified")
    VERIFIED = "verified", _("Verified")
    PAID = "paid", _("Paid out")
    CANCELLED = "cancelled", _("Called off")


def challenge_states() -> list[tuple[str, Any]]:
    return list(ChallengeState.choices)


ESCROWED = (ChallengeState.OPEN, ChallengeState.ENDED, ChallengeState.VERIFIED)
"""The whole pool is in escrow."""


class ChallengeQuerySet(models.QuerySet["Challenge"]):
    def visible_to(self, viewer: Viewer) -> ChallengeQuerySet:
        """Those that were opened where one belongs; all of companies whose challenges one keeps."""
        shown = Q(place_id__in=own_places(viewer)) & ~Q(state=ChallengeState.DRAFT)
        return self.filter(shown | viewer.within("company__path", *KEEPING))


class Challenge(Named):
    """A goal with an end, for whoever joins; its prizes wait in escrow from the day it opens."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    place = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    """Who belongs there may join."""
    key = models.CharField(max_length=200)
    teams = models.BooleanField(default=False)
    """Departments reach the goal together; else each person."""
    event_name = models.CharField(max_length=200, blank=True)
    """What is counted; or"""
    rule = models.CharField(max_length=200, blank=True)
    """the rule whose points are added up."""
    goal = models.PositiveIntegerField()
    from_date = models.DateField()
    until_date = models.DateField()
    """The first date that does not count any more."""
    prize = models.PositiveIntegerField(default=0)
    """Points for each who reaches the goal, while the pool lasts; else all share the pool."""
    pool = models.PositiveIntegerField(default=0)
    budget = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    """Whose budget fills the pool."""
    state = models.CharField(max_length=16, choices=challenge_states, default=ChallengeState.DRAFT)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    made_by_person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    counted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    verified_by_person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    """When it was paid out or called off."""
    why = models.CharField(max_length=300, blank=True)
    """It was called off."""

    objects = ChallengeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="challenge_has_a_name", condition=HAS_A_NAME),
            models.CheckConstraint(name="challenge_is_a_span", condition=Q(from_date__lt=F("until_date"))),
            models.CheckConstraint(name="challenge_has_a_goal", condition=Q(goal__gte=1)),
            models.CheckConstraint(
                name="challenge_counts_one_thing",
                condition=(Q(event_name="") & ~Q(rule="")) | (~Q(event_name="") & Q(rule="")),
            ),
            models.CheckConstraint(
                name="challenge_pool_has_a_budget",
                condition=Q(pool=0, prize=0) | Q(pool__gt=0, prize__gt=0, budget__isnull=False),
            ),
            models.CheckConstraint(
                name="challenge_is_verified_by_another",
                condition=Q(verified_by__isnull=True) | Q(made_by__isnull=True) | ~Q(verified_by=F("made_by")),
            ),
            models.UniqueConstraint(fields=["company", "key"], name="challenge_once_per_key"),
        ]
        indexes = [models.Index(fields=["company", "state"], name="challenge_by_state")]


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def visible_to(self, viewer: Viewer) -> ParticipantQuerySet:
        """Whoever may join sees who has; so does who sees people there."""
        return self.filter(
            Q(challenge__place_id__in=own_places(viewer)) | viewer.within("challenge__company__path", Deed.SEE_PEOPLE)
        )


class Participant(models.Model):
    """A person who joined a challenge, and how far they came."""

    challenge = models.ForeignKey(Challenge, models.PROTECT, related_name="participants")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    team = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    """The department they joined for."""
    joined_at = models.DateTimeField()
    reached = models.IntegerField(default=0)
    """What they did of the goal, as last counted."""
    met_at = models.DateTimeField(null=True, blank=True)
    """When they, or their team, reached the goal."""
    prize = models.PositiveIntegerField(default=0)
    """What was paid to them."""

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["challenge", "person"], name="challenge_joined_once"),
        ]

    def __str__(self) -> str:
        return f"{self.challenge_id} {self.person_id} {self.reached}"


class BoardPrizeQuerySet(models.QuerySet["BoardPrize"]):
    def visible_to(self, viewer: Viewer) -> BoardPrizeQuerySet:
        """Those of boards one stands on, or keeps."""
        return self.filter(Q(company_id__in=own_places(viewer)) | viewer.within("company__path", *KEEPING))


class BoardPrize(models.Model):
    """Points for the first ones on a company's board, once it closed; for every period that begins from a date on."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    period = models.CharField(max_length=8)
    places = models.JSONField()
    """[for the first, for the second, …]"""
    budget = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    from_date = models.DateField()
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    made_by_person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    """Gets none of it."""
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = BoardPrizeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "period"], condition=Q(ended_at__isnull=True), name="board_has_one_sort_of_prizes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.places}"


class PaidBoardQuerySet(models.QuerySet["PaidBoard"]):
    def visible_to(self, viewer: Viewer) -> PaidBoardQuerySet:
        """As the prizes themselves."""
        seen = viewer.within("prize__company__path", *KEEPING)
        return self.filter(Q(prize__company_id__in=own_places(viewer)) | seen)


class PaidBoard(models.Model):
    """A board whose prizes were paid, once."""

    prize = models.ForeignKey(BoardPrize, models.PROTECT, related_name="paid")
    starts = models.DateField()
    points = models.PositiveIntegerField()
    """All together."""
    paid_at = models.DateTimeField()

    objects = PaidBoardQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prize", "starts"], name="board_is_paid_once")]

    def __str__(self) -> str:
        return f"{self.prize_id} {self.starts} {self.points}"


class PaidPlaceQuerySet(models.QuerySet["PaidPlace"]):
    def visible_to(self, viewer: Viewer) -> PaidPlaceQuerySet:
        """One's own, and those of people one sees."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        return self.filter(own | viewer.within("board__prize__company__path", Deed.SEE_PEOPLE))


class PaidPlace(models.Model):
    """What one person got for a place on a board."""

    board = models.ForeignKey(PaidBoard, models.PROTECT, related_name="places")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    rank = models.PositiveIntegerField()
    points = models.PositiveIntegerField()

    objects = PaidPlaceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["board", "person"], name="board_prize_once_per_person")]

    def __str__(self) -> str:
        return f"{self.board_id} {self.rank} {self.points}"


class PrivilegeQuerySet(models.QuerySet["Privilege"]):
    def visible_to(self, viewer: Viewer) -> PrivilegeQuerySet:
        """Those of one's own company, and of companies whose merits one keeps."""
        return self.filter(Q(company_id__in=own_places(viewer)) | viewer.within("company__path", *KEEPING))


class Privilege(Named):
    """What a level opens, by a name that other software can ask for."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    code = models.SlugField(max_length=60)
    level = models.CharField(max_length=100)
    days = models.PositiveIntegerField(null=True, blank=True)
    """How long from when the level was reached; empty: as long as the level is held."""
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = PrivilegeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="privilege_has_a_name", condition=HAS_A_NAME),
            models.UniqueConstraint(
                fields=["company", "code"], condition=Q(ended_at__isnull=True), name="privilege_once_by_code"
            ),
        ]
