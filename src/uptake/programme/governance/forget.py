"""What becomes of votes, comments and appeals of a person who is erased: see `uptake.directory.erase`.

Counts stay as they were counted; the words of the person go.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import Subject, Treatment
from uptake.directory.models import Policy
from uptake.programme.governance.models import Appeal, Comment, Vote

BOTH = (Policy.ANONYMISE, Policy.DROP)


def _count(subject: Subject) -> int:
    return sum(model.objects.filter(person_id=subject.person).count() for model in (Comment, Vote, Appeal))


def _empty(subject: Subject) -> None:
    Comment.objects.filter(person_id=subject.person).update(text="", person=None)
    Vote.objects.filter(person_id=subject.person).update(reason="")
    Appeal.objects.filter(person_id=subject.person).update(text="", told={})
    Appeal.objects.filter(decided_by_id=subject.person).update(decided_by_login=None)


GOVERNANCE = Treatment(
    "governance",
    _("Votes, comments and appeals"),
    dict.fromkeys(BOTH, _("What was counted and decided stays; the words and the name go")),
    ("governance.Comment", "governance.Vote", "governance.Appeal", "governance.Elector"),
    _count,
    _empty,
)
