"""Committees and what they decide: proposals with their votes and comments, and appeals. What was sealed never changes,
by trigger."""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from uptake.directory.models import Organization, Person, User
from uptake.directory.viewer import Deed, Viewer, ids_of
from uptake.programme.models import Award, RulebookVersion


class Majority(models.TextChoices):
    """How many must say yes."""

    SIMPLE = "simple", _("More yes than no")
    ABSOLUTE = "absolute", _("More than half of all members")
    TWO_THIRDS = "two_thirds", _("Two thirds of those who say yes or no")


class Choice(models.TextChoices):
    YES = "yes", pgettext_lazy("vote", "For")
    NO = "no", pgettext_lazy("vote", "Against")
    ABSTAIN = "abstain", pgettext_lazy("vote", "Abstain")


class ProposalKind(models.TextChoices):
    CHANGE = "change", pgettext_lazy("of the rules", "Change")
    EMERGENCY = "emergency", _("Lowered at once")


class ProposalState(models.TextChoices):
    OPEN = "open", _("Voting")
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", pgettext_lazy("of a proposal", "Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    LAPSED = "lapsed", _("Lapsed")
    PUBLISHED = "published", _("Published")


class AppealState(models.TextChoices):
    OPEN = "open", pgettext_lazy("of an appeal", "Open")
    UPHELD = "upheld", _("Upheld")
    REFUSED = "refused", pgettext_lazy("of an appeal", "Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class About(models.TextChoices):
    """What an appeal is about."""

    AWARD = "award", _("What an event earned")
    REDEMPTION = "redemption", _("A redemption")
    SPECIAL = "special", _("Special points")
    OTHER = "other", _("Another entry")


class CommitteeQuerySet(models.QuerySet["Committee"]):
    def visible_to(self, viewer: Viewer) -> CommitteeQuerySet:
        """How votes go where one belongs or holds a role, and where one sees totals or manages rules."""
        return self.filter(_concerning(viewer))


class Committee(models.Model):
    """How the committee of a place decides. A place without a row goes by the defaults."""

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="committee")
    quorum_percent = models.PositiveSmallIntegerField(default=50)
    """How many of 100 members must vote at least; abstaining is voting."""
    majority = models.CharField(max_length=12, choices=Majority.choices, default=Majority.SIMPLE)
    secret = models.BooleanField(default=False)
    voting_days = models.PositiveSmallIntegerField(default=7)
    notice_days = models.PositiveSmallIntegerField(default=3)
    appeal_days = models.PositiveSmallIntegerField(default=7)
    debt_most = models.PositiveIntegerField(default=0)
    """Debts of at most so many points are written off; 0: none is."""
    debt_days = models.PositiveSmallIntegerField(default=90)
    """After so many days in which the debt did not grow."""
    bounded_streaks = models.BooleanField(default=False)
    """Rulebooks whose streaks pay without a bound are refused."""
    changed_at = models.DateTimeField()

    objects = CommitteeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="committee_quorum", condition=Q(quorum_percent__gte=1, quorum_percent__lte=100)
            ),
            models.CheckConstraint(name="committee_has_time", condition=Q(voting_days__gte=1, appeal_days__gte=1)),
        ]


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def visible_to(self, viewer: Viewer) -> ProposalQuerySet:
        """Those of places where one belongs or holds a role, and where one sees totals or manages rules."""
        return self.filter(_concerning(viewer))


class Proposal(models.Model):
    """A rulebook put to the vote, with its back-test and the terms of the vote, all sealed when it was opened."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="proposals")
    number = models.PositiveIntegerField()
    """1, 2, 3 … at its place."""
    kind = models.CharField(max_length=12, choices=ProposalKind.choices, default=ProposalKind.CHANGE)
    title = models.CharField(max_length=200)
    why = models.TextField()
    proposer = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    draft = models.BigIntegerField(null=True, blank=True)
    """Id of the draft it was made from."""
    file = models.TextField()
    """The canonical text of the rulebook file, as it was at opening."""
    sha256 = models.CharField(max_length=64)
    report = models.TextField(blank=True)
    """Canonical JSON of the back-test, as it was at opening; empty for what was lowered at once."""
    report_sha256 = models.CharField(max_length=64, blank=True)
    base = models.ForeignKey(RulebookVersion, models.PROTECT, null=True, blank=True, related_name="+")
    """The rulebook it would take the place of, or that it took the place of."""
    latest = models.PositiveIntegerField()
    """The number of the place's latest rulebook when it was opened; another one by now: the rules have moved on."""
    secret = models.BooleanField()
    members = models.PositiveIntegerField()
    quorum = models.PositiveIntegerField()
    majority = models.CharField(max_length=12, choices=Majority.choices)
    notice_days = models.PositiveSmallIntegerField()
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    """From this instant on no vote counts."""
    seal = models.CharField(max_length=64)
    """Hash over all of the above; it stands in the audit log too."""

    state = models.CharField(max_length=12, choices=ProposalState.choices, default=ProposalState.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    yes = models.PositiveIntegerField(default=0)
    no = models.PositiveIntegerField(default=0)
    abstain = models.PositiveIntegerField(default=0)
    """The three are counted once, at the end."""
    salt = models.CharField(max_length=64, blank=True)
    """Of a secret ballot while it is open; emptied with the ballots at the end."""
    held_back = models.CharField(max_length=32, blank=True)
    """Why an accepted rulebook is not published: rules_moved_on, seal_broken, refused."""
    version = models.ForeignKey(RulebookVersion, models.PROTECT, null=True, blank=True, related_name="+")
    """The rulebook that came of it: the one accepted, or the one that brought the old rules back."""

    objects = ProposalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="proposal_number_once_per_place"),
            models.UniqueConstraint(fields=["draft"], condition=Q(state="open"), name="proposal_once_per_draft"),
            models.CheckConstraint(name="proposal_closes_later", condition=Q(closes_at__gt=F("opened_at"))),
            models.CheckConstraint(name="proposal_counts_members", condition=Q(members__gte=1, quorum__gte=1)),
        ]
        indexes = [models.Index(fields=["state", "closes_at"], name="proposal_due")]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def told(self) -> dict[str, Any]:
        """The back-test as plain values; empty where there is none."""
        found: dict[str, Any] = json.loads(self.report) if self.report else {}
        return found


class Elector(models.Model):
    """Somebody who may vote on a proposal, as the committee stood when it was opened."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="electors")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    voted = models.BooleanField(default=False)
    """That, never what."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "person"], name="elector_once_per_proposal")]


class Vote(models.Model):
    """An open vote, with its reason. Fixed when the vote is over, by trigger."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="votes")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    choice = models.CharField(max_length=8, choices=Choice.choices)
    reason = models.TextField(blank=True)
    cast_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "person"], name="vote_once_per_person")]


class Ballot(models.Model):
    """A secret vote while it may still be changed: no name, no time, and a key that only the server can make.

    All of a proposal's are deleted when it is counted.
    """

    token = models.CharField(max_length=64, primary_key=True)
    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="ballots")
    choice = models.CharField(max_length=8, choices=Choice.choices)


class Comment(models.Model):
    """What somebody says about a proposal."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="comments")
    person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    text = models.TextField()
    written_at = models.DateTimeField()


class AppealQuerySet(models.QuerySet["Appeal"]):
    def visible_to(self, viewer: Viewer) -> AppealQuerySet:
        """One's own, and those of companies whose rules one manages or whose ledger one sees."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        return self.filter(own | viewer.within("company__path", Deed.MANAGE_RULES, Deed.SEE_LEDGER))


class Appeal(models.Model):
    """Somebody questions what became of their points. Decided once, by trigger, by another; never by an edit."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="appeals")
    person = models.ForeignKey(Person, models.PROTECT, related_name="appeals")
    about = models.CharField(max_length=12, choices=About.choices)
    award = models.ForeignKey(Award, models.PROTECT, null=True, blank=True, related_name="appeals")
    entry_key = models.CharField(max_length=255, blank=True)
    """Key of the entry in the company's ledger, where it is not about an award."""
    told = models.JSONField(default=dict)
    """{"title", "points", "reasons", "at"}: the line as it stood when the appeal was filed."""
    parties = models.JSONField(default=list)
    """Ids of those who took the decision that is questioned: they do not decide on it again."""
    text = models.TextField()
    filed_at = models.DateTimeField()
    due_at = models.DateTimeField()
    assigned = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=12, choices=AppealState.choices, default=AppealState.OPEN)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    decided_by_login = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)
    points = models.BigIntegerField(default=0)
    """What an upheld appeal gave."""

    objects = AppealQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["award"], condition=Q(state="open", award__isnull=False), name="appeal_open_once_per_award"
            ),
            models.UniqueConstraint(
                fields=["company", "entry_key"],
                condition=Q(state="open") & ~Q(entry_key=""),
                name="appeal_open_once_per_entry",
            ),
            models.CheckConstraint(
                name="appeal_is_about_one_line",
                condition=Q(award__isnull=False, entry_key="") | (Q(award__isnull=True) & ~Q(entry_key="")),
            ),
            models.CheckConstraint(
                name="appeal_not_decided_by_its_own",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("person")),
            ),
            models.CheckConstraint(
                name="appeal_gives_only_when_upheld", condition=Q(points=0) | Q(state="upheld", points__gt=0)
            ),
        ]
        indexes = [models.Index(fields=["company", "state", "due_at"], name="appeal_due")]

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def cause(self) -> str:
        """What its entry in the ledger names as its cause, and the lot it makes."""
        return f"appeal/{self.pk}"


def _concerning(viewer: Viewer) -> Q:
    above = {key for path in viewer.places for key in ids_of(path)}
    above |= {key for grant in viewer.grants for key in ids_of(grant.path)}
    return Q(organization_id__in=above) | viewer.within("organization__path", Deed.SEE_TOTALS, Deed.MANAGE_RULES)
