"""What becomes of imports that brought rows of a person who is erased: see `uptake.directory.erase`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from uptake.connectors.files.begin_import import kept_file
from uptake.connectors.models import BadRecord, ImportRun
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


def _records(subject: Subject) -> Iterator[BadRecord]:
    """Records that were not understood and name the person."""
    found = BadRecord.objects.annotate(raw_text=Cast("raw", TextField())).filter(
        subject.mentions("raw_text") | subject.mentions("detail")
    )
    return (one for one in found.iterator() if subject.named_inside(one.raw) or subject.named_in(one.detail))


def _empty_records(subject: Subject) -> None:
    """What a record of theirs said goes wholly: nobody knows which of its fields are about them."""
    keys = [one.pk for one in _records(subject)]
    BadRecord.objects.filter(pk__in=keys).update(raw={}, detail="", record_id="")


SYSTEM_RECORDS = Treatment(
    "system_records",
    _("Records of connected systems that were not understood"),
    dict.fromkeys((Policy.ANONYMISE, Policy.DROP), _("What the record said is emptied")),
    ("connectors.BadRecord",),
    lambda subject: sum(1 for _one in _records(subject)),
    _empty_records,
)
