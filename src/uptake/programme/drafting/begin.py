"""Begins a draft: from a rulebook file, a template, the rulebook in force, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization, User
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.programme.drafting.examples import check_examples
from uptake.programme.drafting.models import Draft, Save
from uptake.programme.in_force import rulebook_version_on
from uptake.programme.publish import NotAPlaceOfRules, with_clock
from uptake.programme.rulebook_reading import parse_rulebook
from uptake.programme.rulebook_writing import hash_of, to_text

LONGEST_TITLE = 200


class NoTitle(Exception):
    """A draft needs a title, of at most 200 characters."""


@transaction.atomic
def begin_draft(
    *,
    organization: Organization,
    title: str,
    rulebook: Mapping[str, Any] | str | bytes,
    examples: Sequence[Mapping[str, Any]] = (),
    by: Viewer,
    now: datetime,
) -> Draft:
    """Stores the file (JSON or YAML text, or its plain object) as a new draft with its first save.

    Where the file names no clock, it gets that of the place. Raises NotAllowed, NotAPlaceOfRules, NoTitle,
    RulebookRefused, ExampleRefused.
    """
    if not by.may(Deed.MANAGE_RULES, organization):
        raise NotAllowed
    if organization.kind not in (Kind.COMPANY, Kind.PARK):
        raise NotAPlaceOfRules
    parsed = parse_rulebook(with_clock(rulebook, organization, on=settings_at(organization).date_of(now)))
    draft = Draft.objects.create(
        organization=organization,
        title=checked_title(title),
        base=rulebook_version_on(organization, settings_at(organization).date_of(now)),
        file=to_text(parsed),
        sha256=hash_of(parsed),
        examples=check_examples(examples),
        author=login_of(by),
        created_at=now,
        saved_at=now,
    )
    keep(draft, by, now)
    note(
        deed="draft.begun",
        actor=by,
        organization=organization,
        subject=draft.title,
        details={"draft": draft.pk, "sha256": draft.sha256},
        now=now,
    )
    return draft


def checked_title(title: str) -> str:
    """The title without blanks around it; NoTitle."""
    found = " ".join(title.split())
    if not found or len(found) > LONGEST_TITLE:
        raise NoTitle
    return found


def login_of(by: Viewer) -> User | None:
    return User.objects.filter(pk=by.user_id).first() if by.user_id else None


def keep(draft: Draft, by: Viewer, now: datetime) -> Save:
    """The draft as it is now, in its history."""
    return Save.objects.create(
        draft=draft,
        number=draft.saves,
        title=draft.title,
        file=draft.file,
        sha256=draft.sha256,
        examples=draft.examples,
        saved_at=now,
        saved_by=login_of(by),
    )
