"""What becomes of redemptions and special points of a person who is erased: see `uptake.directory.erase`.

The numbers stay, as stock, budgets and the ledger go by them; the words and files do not.
"""

from __future__ import annotations

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import NAMELESS, Subject, Treatment
from uptake.directory.models import Policy
from uptake.programme.rewards.models import Attachment, Redemption, Reward, SpecialGrant, Standing, Wait

BOTH = (Policy.ANONYMISE, Policy.DROP)


def _redemptions(subject: Subject) -> QuerySet[Redemption]:
    return Redemption.objects.filter(person_id=subject.person)


def _empty_redemptions(subject: Subject) -> None:
    Attachment.objects.filter(redemption__person_id=subject.person).delete()
    for kept in Wait.objects.filter(person_id=subject.person, standing=Standing.KEPT):
        Reward.objects.filter(pk=kept.reward_id).update(kept=F("kept") - 1)
    Wait.objects.filter(person_id=subject.person).delete()
    _redemptions(subject).update(wish="", answer="", leave_from_date=None)
    for row in Redemption.objects.exclude(answer="").only("answer"):
        if subject.named_in(row.answer):
            Redemption.objects.filter(pk=row.pk).update(answer="")


def _grants(subject: Subject) -> QuerySet[SpecialGrant]:
    mine = Q(person_id=subject.person) | Q(asked_by_person_id=subject.person) | Q(decided_by_person_id=subject.person)
    return SpecialGrant.objects.filter(mine)


def _empty_grants(subject: Subject) -> None:
    SpecialGrant.objects.filter(person_id=subject.person).update(reason=NAMELESS)
    for row in SpecialGrant.objects.exclude(reason=NAMELESS).only("reason"):
        if subject.named_in(row.reason):
            SpecialGrant.objects.filter(pk=row.pk).update(reason=NAMELESS)


REDEMPTIONS = Treatment(
    "redemptions",
    _("Redeemed rewards"),
    dict.fromkeys(BOTH, _("Numbers stay; wishes, answers, files and places in waiting lines are deleted")),
    ("rewards.Redemption", "rewards.Attachment", "rewards.Wait"),
    lambda subject: _redemptions(subject).count() + Wait.objects.filter(person_id=subject.person).count(),
    _empty_redemptions,
)
SPECIAL = Treatment(
    "special_points",
    _("Special points"),
    dict.fromkeys(BOTH, _("Numbers stay; reasons are deleted")),
    ("rewards.SpecialGrant",),
    lambda subject: _grants(subject).count(),
    _empty_grants,
)
