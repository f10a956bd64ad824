"""What becomes of what an erased person wrote and gave: see `uptake.directory.erase`. Words go, counts stay."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import NAMELESS, Subject, Treatment
from uptake.directory.models import Policy
from uptake.programme.community.models import Post, Reaction, Recognition, Reply, Report

BOTH = (Policy.ANONYMISE, Policy.DROP)


def _between(subject: Subject) -> Q:
    return Q(giver_id=subject.person) | Q(receiver_id=subject.person)


def _count(subject: Subject) -> int:
    own = sum(model.objects.filter(person_id=subject.person).count() for model in (Post, Reply, Reaction, Report))
    return own + Recognition.objects.filter(_between(subject)).count()


def _empty(subject: Subject) -> None:
    Post.objects.filter(person_id=subject.person).update(title=NAMELESS, text=NAMELESS, hidden_why="")
    Reply.objects.filter(person_id=subject.person).update(text=NAMELESS, hidden_why="")
    Report.objects.filter(person_id=subject.person).update(why=NAMELESS)
    Reaction.objects.filter(person_id=subject.person).delete()
    Recognition.objects.filter(_between(subject)).update(text=NAMELESS)
    for model, column in (
        (Post, "title"), (Post, "text"), (Reply, "text"), (Recognition, "text"), (Report, "why"),
        (Post, "hidden_why"), (Reply, "hidden_why"),
    ):  # fmt: skip
        # What others wrote about them.
        rows = model.objects.filter(subject.mentions(column))
        named = [pk for pk, text in rows.values_list("pk", column) if subject.named_in(text)]
        model.objects.filter(pk__in=named).update(**{column: NAMELESS})


COMMUNITY = Treatment(
    "community",
    _("Posts, replies, reports and recognition"),
    dict.fromkeys(BOTH, _("The words go; that something stood there, and what was given, stays")),
    ("community.Post", "community.Reply", "community.Report", "community.Reaction", "community.Recognition"),
    _count,
    _empty,
)
