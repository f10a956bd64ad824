"""Saves a draft: the whole file anew, as one more entry of its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from uptake.directory.clock import DateLost
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.programme.clock_change import clock_to_come
from uptake.programme.drafting.begin import NoTitle, checked_title, keep
from uptake.programme.drafting.examples import ExampleRefused, check_examples
from uptake.programme.drafting.models import Draft, DraftState
from uptake.programme.publish import with_clock
from uptake.programme.rulebook_reading import parse_rulebook
from uptake.programme.rulebook_writing import hash_of, to_text


class NotOpen(Exception):
    """The draft is proposed, published or withdrawn: it stays as it is."""


class ChangedMeanwhile(Exception):
    """Somebody else saved the draft since it was read; `saves` is the number of their save."""

    def __init__(self, saves: int) -> None:
        self.saves = saves
        super().__init__(f"the draft was saved meanwhile, its save is {saves}")


@transaction.atomic
def save_draft(
    *,
    draft: Draft,
    seen: int,
    rulebook: Mapping[str, Any] | str | bytes | None = None,
    title: str | None = None,
    examples: Sequence[Mapping[str, Any]] | None = None,
    by: Viewer,
    now: datetime,
) -> Draft:
    """Stores what is given anew. `seen`: the number of the save one had before one's eyes.

    Saving what already stands changes nothing. A changed file is no longer back-tested. It may name another clock,
    which the place gets with it. Raises NotAllowed, NotOpen, ChangedMeanwhile, NoTitle, RulebookRefused,
    ExampleRefused, and DateLost of a clock by which a date would be lost.
    """
    draft = locked(draft, by)
    file, sha256 = draft.file, draft.sha256
    if rulebook is not None:
        today = settings_at(draft.organization).date_of(now)
        parsed = parse_rulebook(with_clock(rulebook, draft.organization, on=today, other=True))
        lost = clock_to_come(parsed, draft.organization, today).lost()
        if lost is not None:
            raise DateLost(lost, draft.organization.name)
        file, sha256 = to_text(parsed), hash_of(parsed)
    wanted = (
        file,
        draft.title if title is None else checked_title(title),
        draft.examples if examples is None else check_examples(examples),
    )
    if wanted == (draft.file, draft.title, draft.examples):
        return draft
    if draft.saves != seen:
        raise ChangedMeanwhile(draft.saves)
    if sha256 != draft.sha256:
        draft.state = DraftState.DRAFT
    draft.file, draft.title, draft.examples = wanted
    draft.sha256, draft.saves, draft.saved_at = sha256, draft.saves + 1, now
    draft.save()
    keep(draft, by, now)
    return draft


def locked(draft: Draft, by: Viewer) -> Draft:
    """The open draft, ours alone until the transaction ends. Raises NotAllowed, NotOpen."""
    found = Draft.objects.select_for_update(of=("self",), no_key=True).select_related("organization").get(pk=draft.pk)
    if not by.may(Deed.MANAGE_RULES, found.organization):
        raise NotAllowed
    if not found.is_open:
        raise NotOpen
    return found


__all__ = ["ChangedMeanwhile", "ExampleRefused", "NoTitle", "NotOpen", "locked", "save_draft"]
