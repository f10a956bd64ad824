"""What becomes of imports that brought rows of a person who is erased: see `uptake.directory.erase`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from uptake.connectors.files.begin_import import kept_file
from uptake.connectors.models import ImportRun
from uptake.directory.erase import NAMELESS, Subject, Treatment
from uptake.directory.models import Policy
from uptake.events.models import Batch, Event

TEXTS = ("file_name", "errors", "preview", "failure")


def _imports(subject: Subject) -> Iterator[ImportRun]:
    """Imports that brought an event of the person, and those in whose name, errors or preview they are named."""
    batches = set(_batches(subject))
    found = ImportRun.objects.annotate(**{f"{name}_text": Cast(name, TextField()) for name in TEXTS})
    named = subject.mentions("file_name_text")
    for name in TEXTS[1:]:
        named |= subject.mentions(f"{name}_text")
    seen: set[int] = set()
    for one in [*found.filter(batch_id__in=batches), *found.filter(named)]:
        if one.pk not in seen and (
            one.batch_id in batches or any(subject.named_inside(getattr(one, t)) for t in TEXTS)
        ):
            seen.add(one.pk)
            yield one


def _batches(subject: Subject) -> list[int]:
    found = Event.objects.filter(identity_id__in=subject.identities, batch__isnull=False)
    return list(found.order_by().values_list("batch_id", flat=True).distinct())


def _empty(subject: Subject) -> None:
    """The file itself goes when all of it was read; what waits to be read still names its rows."""
    batches = set(_batches(subject))
    for one in list(_imports(subject)):
        if subject.named_in(one.file_name):
            one.file_name = NAMELESS
        one.errors, one.preview, one.failure = map(subject.without, (one.errors, one.preview, one.failure))
        if one.batch_id in batches:
            # which of the rows that could not be read were theirs, nobody knows
            one.errors = [[*error[:3], ""] for error in one.errors]
            one.preview = one.preview and {**one.preview, "errors": [], "samples": []}
            if one.ended_at is not None:
                _remove(kept_file(one))
        one.save(update_fields=["file_name", "errors", "preview", "failure"])
    for batch in Batch.objects.filter(subject.mentions("label")):
        if subject.named_in(batch.label):
            batch.label = NAMELESS
            batch.save(update_fields=["label"])


def _remove(file: Path) -> None:
    transaction.on_commit(lambda: file.unlink(missing_ok=True))


IMPORTS = Treatment(
    "imports",
    _("Imported files with their rows"),
    dict.fromkeys((Policy.ANONYMISE, Policy.DROP), _("The kept file is deleted; counts of rows stay")),
    ("connectors.ImportRun", "events.Batch"),
    lambda subject: sum(1 for _one in _imports(subject)),
    _empty,
)
