"""Publishes a draft where no committee votes: its examples must hold, then it is the place's next rulebook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from uptake.directory.viewer import Viewer
from uptake.programme.drafting.examples import Tried, try_examples
from uptake.programme.drafting.hand_on import draft_published
from uptake.programme.drafting.models import Draft
from uptake.programme.drafting.save import ChangedMeanwhile, locked
from uptake.programme.models import RulebookVersion
from uptake.programme.publish import publish
from uptake.programme.rulebook_reading import read_rulebook


class ExamplesFail(Exception):
    """Example events earn something else than they must: `tried` are those."""

    def __init__(self, tried: Sequence[Tried]) -> None:
        self.tried = tried
        super().__init__(f"{len(tried)} examples earn something else than they must")


def failing_examples(draft: Draft, day: date) -> list[Tried]:
    """The examples of a draft that do not earn what they must where it applies from `day` on."""
    return [one for one in try_examples(read_rulebook(draft.file), draft.examples, day) if not one.holds]


@transaction.atomic
def publish_draft(
    *, draft: Draft, seen: int, in_force_date: date, by: Viewer, now: datetime, changes_clock: bool = False
) -> RulebookVersion:
    """Publishes the draft's file as it stands at save `seen`.

    Raises NotAllowed, NotOpen, ChangedMeanwhile, ExamplesFail, and what `publish` raises.
    """
    draft = locked(draft, by)
    if draft.saves != seen:
        raise ChangedMeanwhile(draft.saves)
    failing = failing_examples(draft, in_force_date)
    if failing:
        raise ExamplesFail(failing)
    version = publish(
        rulebook=draft.file,
        organization=draft.organization,
        in_force_date=in_force_date,
        by=by,
        now=now,
        changes_clock=changes_clock,
    )
    draft_published(draft=draft, version=version)
    return version
