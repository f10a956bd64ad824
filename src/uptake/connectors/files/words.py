"""Sentences for the codes by which readers and doors say why a file, a mapping or a row was refused."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from uptake.connectors.files.mapping import UnfitMapping
from uptake.connectors.files.table import UnreadableFile

FILE: Mapping[str, str | Promise] = {
    "empty": _("The file holds no rows."),
    "only_header": _("The file has a header and no rows below it."),
    "too_large": _("The file is too large once unpacked."),
    "too_large_workbook": _("The workbook is too large once unpacked. Save the sheet as CSV."),
    "too_many_columns": _("The file has more than 500 columns (%(detail)s)."),
    "broken_gzip": _("The packed file is broken or cut off. Nothing of it was read."),
    "broken_quotes": _("A quotation mark is not closed, or text stands behind a closed one."),
    "huge_cell": _("A cell holds more than a million characters. Usually a quotation mark is not closed."),
    "broken_encoding": _("The text is not in the encoding found (%(detail)s). Save the file as UTF-8."),
    "unknown_encoding": _("The encoding of the text could not be found out. Save the file as UTF-8."),
    "not_a_table": _("This is no table of events. CSV, XLSX, Parquet, NDJSON and XES can be read."),
    "zip_archive": _("This is a ZIP archive. Unpack it and choose the file inside."),
    "encrypted": _("The workbook is protected by a password. Save it without one."),
    "broken_workbook": _("The workbook cannot be opened; it may be cut off."),
    "broken_parquet": _("The Parquet file is broken or protected."),
    "json_array": _("This is one JSON list. Write one object per line (NDJSON)."),
    "broken_xml": _("The XML is broken: %(detail)s"),
    "xml_with_dtd": _("The XML declares a document type or entities. For safety such files are not read."),
    "not_xes": _("This XML is no event log (XES): its first element is “%(detail)s”."),
    "file_gone": _("The kept file is gone from the data folder. Upload it again."),
    "source_paused": _("The connection for files of this place is paused. Resume it, then go on."),
    "failure": _("An error stopped the import (%(detail)s). What was stored stays; go on or undo it."),
}
MAPPING: Mapping[str, str | Promise] = {
    "name_not_mapped": _("Choose at least one column for the name of the event."),
    "time_not_mapped": _("Choose the column of the time."),
    "unknown_column": _("There is no column “%(column)s”. The columns are: %(columns)s"),
    "property_twice": _("Two facts have the same name (column “%(column)s”)."),
    "property_without_name": _("The fact from column “%(column)s” has no name."),
    "unknown_type": _("The kind chosen for column “%(column)s” does not exist."),
    "unknown_zone": _("There is no time zone “%(column)s”."),
}
ROW: Mapping[str, str | Promise] = {
    "name_missing": _("No name of the event"),
    "time_missing": _("No time"),
    "not_a_time": _("Not a time"),
    "time_ambiguous": _("Day or month first? Choose the order of dates"),
    "time_out_of_range": _("A time before 1900 or after 2200"),
    "not_a_number": _("Not a number"),
    "too_many_digits": _("A number of more than 40 digits"),
    "not_a_boolean": _("Neither yes nor no"),
    "too_long": _("Too long"),
    "broken_text": _("Holds characters that are no text"),
    "unknown_company": _("No such company below this place"),
    "too_many_cells": _("More cells than columns"),
    "broken_json": _("Not valid JSON"),
    "not_an_object": _("Not a JSON object"),
    "conflict": _("Another content stands under the same key"),
    "stands_as_history": _("Stands already as history only; undo that import first"),
    "stands_as_earning": _("Stands already and earns points; undo that import first"),
    "refused": _("Refused"),
    "future": _("Quarantine: happens in the future"),
    "late": _("Quarantine: came too late"),
    "odd": _("Quarantine: does not fit the catalogue"),
}


def why_unreadable(refusal: UnreadableFile) -> str:
    """Why a file cannot be read, with the row, in the reader's language."""
    return why_failed(refusal.code, refusal.row, refusal.detail)


def why_failed(code: str, row: int | None, detail: str) -> str:
    """The sentence of a kept failure, in the reader's language."""
    if code in MAPPING:
        sentence = str(MAPPING[code]) % {"column": detail, "columns": ""}
    else:
        sentence = str(FILE.get(code, FILE["failure"])) % {"detail": detail}
    return str(_("Row %(row)s: %(sentence)s")) % {"row": row, "sentence": sentence} if row else sentence


def why_unfit(refusal: UnfitMapping) -> str:
    """Why a mapping does not fit, in the reader's language."""
    return str(MAPPING[refusal.code]) % {"column": refusal.column, "columns": ", ".join(refusal.columns)}


def why_rejected(code: str) -> str:
    """Why a row was rejected or waits, in the reader's language."""
    return str(ROW.get(code, ROW["refused"]))
