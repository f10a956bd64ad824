"""Takes a file in: keeps it, finds out what it is, and proposes what its columns mean."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from uptake.connectors.files.formats import open_table
from uptake.connectors.files.mapping import Mapping, UnfitMapping, header_hash
from uptake.connectors.files.suggest import suggest
from uptake.connectors.files.table import Table, UnreadableFile
from uptake.connectors.models import ImportRun, RememberedMapping
from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.scope import Deed, NotAllowed, Viewer

COPY_BYTES = 1 << 20


def begin_import(
    *,
    file: Path,
    file_name: str,
    organization: Organization,
    by: Viewer,
    now: datetime,
    needs_rows: bool = False,
) -> ImportRun:
    """Keeps a copy of `file` in UPTAKE_DATA/imports and proposes a mapping: the remembered one, else a guess.

    Raises NotAllowed, or UnreadableFile (nothing is kept then). A nightly file may hold a header only; a person who
    chose one is told (`needs_rows`).
    """
    if not by.may(Deed.MANAGE_DATA, organization):
        raise NotAllowed
    kept = imports_folder() / uuid.uuid4().hex
    try:
        digest, size = _copy(file, kept)
        table = open_table(kept)
        if needs_rows and next(iter(table.rows()), None) is None:
            raise UnreadableFile("only_header")
        mapping = proposed(table, organization)
        with transaction.atomic():
            run = ImportRun.objects.create(
                organization=organization,
                file_name=Path(file_name).name[:255] or "file",
                kept_as=kept.name,
                sha256=digest,
                bytes=size,
                format=table.format,
                notes=dict(table.notes),
                columns=list(table.columns),
                header_hash=header_hash(table.columns),
                rows_expected=table.rows_expected,
                mapping=mapping.as_json(),
                created_at=now,
                created_by_id=by.user_id,
            )
            note(
                deed="import.begun",
                actor=by,
                organization=organization,
                subject=run.file_name,
                details={"import": run.pk, "sha256": digest, "bytes": size},
                now=now,
            )
    except BaseException:
        kept.unlink(missing_ok=True)
        raise
    return run


def proposed(table: Table, organization: Organization) -> Mapping:
    """The mapping last used for this header at this place, else one suggested by names and values."""
    known = RememberedMapping.objects.filter(organization=organization, header_hash=header_hash(table.columns)).first()
    if known is not None:
        try:
            mapping = Mapping.from_json(known.mapping)
            mapping.check(table.columns)
        except (UnfitMapping, TypeError, KeyError):
            pass  # kept by an older version: suggest anew
        else:
            return mapping
    return suggest(table)


def imports_folder() -> Path:
    """Where imported files are kept, readable by their owner only."""
    folder = Path(settings.DATA) / "imports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def kept_file(run: ImportRun) -> Path:
    """The file of an import."""
    return imports_folder() / run.kept_as


def _copy(source: Path, target: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as old, target.open("xb") as new:
        target.chmod(0o600)
        while data := old.read(COPY_BYTES):
            digest.update(data)
            size += len(data)
            new.write(data)
    return digest.hexdigest(), size
