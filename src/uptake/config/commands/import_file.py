"""`uptake import FILE`: brings the events of a file into the record, or tries what would become of its rows."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import click
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from uptake.config.command import Deed, Refusal
from uptake.config.considering_beside import Beside, considering_beside
from uptake.connectors.files.begin_import import begin_import
from uptake.connectors.files.formats import open_table
from uptake.connectors.files.map_import import map_import, queue_import
from uptake.connectors.files.mapping import Mapping, Property, UnfitMapping
from uptake.connectors.files.preview_import import try_rows
from uptake.connectors.files.run_import import run_import
from uptake.connectors.files.settle import Outcome
from uptake.connectors.files.suggest import first_rows, guess_order, guess_type, person_is, values_of
from uptake.connectors.files.table import Table, UnreadableFile
from uptake.connectors.files.words import why_failed, why_rejected, why_unfit, why_unreadable
from uptake.connectors.models import ImportRun, ImportState
from uptake.directory.models import Kind, Organization
from uptake.directory.organize import make_organization
from uptake.directory.scope import EVERYTHING

NAME_OF_THE_FIRST = "Company"
SHOWN_REASONS = 10
MANY_ROWS = 20_000
"""From so many on a second process is worth its start."""


@click.command(cls=Deed)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--person", metavar="COL", default="", help="Column of the person; rows without one were done by nobody.")
@click.option(
    "--name", "names", metavar="COL[+COL…]", required=True, help="Columns of the event's name, joined by dots."
)
@click.option("--time", metavar="COL", required=True, help="Column of the time.")
@click.option("--object", "about", metavar="COL", default="", help="Column of what it was about: an order number.")
@click.option("--company", metavar="COL", default="", help="Column of the company: its slug or its name.")
@click.option("--organization", "slug", metavar="SLUG", default="", help="Whose events these are (the only company).")
@click.option("--property", "properties", metavar="NAME=COL", multiple=True, help="A fact of the events; repeatable.")
@click.option("--zone", metavar="IANA", default="", help="Zone of times that name none (the organization's).")
@click.option("--earn/--history", "earn", default=False, help="Whether the events earn points, or are history only.")
@click.option("--dry-run", is_flag=True, help="Say what would become of the rows; write nothing.")
def command(
    file: Path,
    person: str,
    names: str,
    time: str,
    about: str,
    company: str,
    slug: str,
    properties: tuple[str, ...],
    zone: str,
    earn: bool,
    dry_run: bool,
) -> dict[str, Any]:
    """Import events from FILE: CSV, XLSX, Parquet, NDJSON or XES, also packed with gzip.

    The same file a second time changes nothing. Rows that say the same are separate events.
    """
    if zone and zone not in available_timezones():
        raise Refusal(f"There is no time zone {zone}.")
    try:
        table = open_table(file)
        mapping = _mapping(table, person, names, time, about, company, properties, zone)
        mapping.check(table.columns)
        place = _place(slug, company)
        with _seldom_collecting():
            return _try(table, mapping, place, earn) if dry_run else _import(file, mapping, place(), earn)
    except UnreadableFile as refusal:
        raise Refusal(f"{file.name}: {why_unreadable(refusal)}") from refusal
    except UnfitMapping as refusal:
        raise Refusal(why_unfit(refusal)) from refusal


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Python looks for circular garbage a hundred times more seldom: rows make none, and the looking took a third of
    the time of an import."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _mapping(
    table: Table,
    person: str,
    names: str,
    time: str,
    about: str,
    company: str,
    properties: tuple[str, ...],
    zone: str,
) -> Mapping:
    """The mapping the options say; types of facts and the order of dates are told from the first rows."""
    rows = first_rows(table)
    facts = []
    for said in properties:
        name, sign, column = said.partition("=")
        if not sign or not name or not column:
            raise click.BadParameter(f"{said!r} is not NAME=COL", param_hint="--property")
        facts.append(Property(name, column, guess_type(values_of(column, table.columns, rows))))
    return Mapping(
        name=_name_columns(names, table.columns),
        time=time,
        person=person,
        person_is=person_is(person, values_of(person, table.columns, rows)),
        object=about,
        company=company,
        properties=tuple(facts),
        zone=zone,
        order=guess_order(values_of(time, table.columns, rows)),
    )


def _name_columns(names: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """COL+COL as columns; a column whose own name holds a + is found too."""
    if names in columns:
        return (names,)
    return tuple(part for part in names.split("+") if part)


def _place(slug: str, company_column: str) -> Callable[[], Organization]:
    """Finds (and, for the first company of all, makes) the organization whose events these are."""
    if slug:
        named = Organization.objects.open().filter(slug=slug).first()
        if named is None:
            known = ", ".join(Organization.objects.open().order_by("slug").values_list("slug", flat=True)[:50])
            raise Refusal(f"There is no organization {slug}. There are: {known or 'none yet'}.")
        if named.kind not in (Kind.PARK, Kind.COMPANY):
            raise Refusal(f"{slug} is a {named.kind}; events belong to a company or a park.")
        return lambda: named
    wanted = Q(parent__isnull=True) if company_column else Q(kind=Kind.COMPANY)
    found = list(Organization.objects.open().filter(wanted).order_by("slug")[:50])
    if len(found) > 1:
        raise Refusal(f"Say whose events these are with --organization: {', '.join(one.slug for one in found)}.")
    if found:
        return lambda: found[0]
    return _make_the_first


def _make_the_first() -> Organization:
    return make_organization(
        kind=Kind.COMPANY, name=NAME_OF_THE_FIRST, slug="company", parent=None, by=EVERYTHING, now=timezone.now()
    )


def _try(table: Table, mapping: Mapping, place: Callable[[], Organization], earn: bool) -> dict[str, Any]:
    progress = Progress(table.rows_expected)
    trial = try_rows(
        table=table,
        mapping=mapping,
        place=place,
        earn=earn,
        now=timezone.now(),
        tell=lambda outcome: progress.show(outcome.rows),
    )
    progress.end()
    outcome = trial.outcome
    click.echo("Dry run: nothing was written.")
    return _report(outcome, outcome.errors, trial.totals)


def _import(file: Path, mapping: Mapping, organization: Organization, earn: bool) -> dict[str, Any]:
    run = begin_import(file=file, file_name=file.name, organization=organization, by=EVERYTHING, now=timezone.now())
    run = map_import(run=run, mapping=mapping, earn=earn, by=EVERYTHING, now=timezone.now())
    run = queue_import(run=run, by=EVERYTHING, now=timezone.now())
    progress = Progress(run.rows_expected)
    # On SQLite one writer would wait for the other.
    many = connection.vendor == "postgresql" and run.rows_expected >= MANY_ROWS
    with considering_beside() if many else nullcontext() as beside:
        run = run_import(run_id=run.pk, clock=timezone.now, tell=lambda going: progress.show(going.rows))
        progress.end()
        if run.state == ImportState.FAILED:
            failure = run.failure or {}
            why = why_failed(failure.get("code", ""), failure.get("row"), failure.get("detail", ""))
            raise Refusal(f"{file.name}: {why} {run.new} events were stored before; repeat the import or undo it.")
        follow(timezone.now, beside)
    click.echo(f"Import {run.pk}: {'earns points' if earn else 'history only, earns no points'}.")
    return _report(run, [tuple(error) for error in run.errors], run.totals)


def follow(clock: Callable[[], datetime], beside: Beside | None = None) -> None:
    """Lets the readers of events catch up, so that points and activity show what was imported.

    `beside` has considered already, and goes on with what is left. The jobs of a server that runs meanwhile do the
    same; all may, as each goes on from the other's bookmark.
    """
    from uptake.insight.feed.refresh import refresh
    from uptake.programme.consider import consider_new_events

    with ThreadPoolExecutor(1, "activity") as thread:
        # One waits for the database while the other works out.
        refreshed = thread.submit(_with_own_connection, _until_nothing_is_new, lambda: refresh(now=clock()))
        if beside is not None:
            beside.finish()
        _until_nothing_is_new(lambda: consider_new_events(now=clock()))
        refreshed.result()


def _until_nothing_is_new(read: Callable[[], int]) -> None:
    while read():
        pass


def _with_own_connection(do: Callable[..., None], *given: Any) -> None:
    """Does it in a thread, whose connection to the database is its own and ends with it."""
    try:
        do(*given)
    finally:
        connection.close()


def _report(outcome: Outcome | ImportRun, errors: list[Any], totals: dict[str, Any]) -> dict[str, Any]:
    """What is told to the person, and the object of --json."""
    click.echo(
        f"{outcome.rows} rows read: {outcome.new} new, {outcome.replayed} there already, {outcome.rejected} rejected"
        + (f", {outcome.quarantined} of the new wait in quarantine" if outcome.quarantined else "")
        + "."
    )
    click.echo(
        f"{totals['with_person']} with a person ({totals['people']} people), {totals['by_nobody']} by nobody, "
        f"{totals['objects']} objects, from {totals['first_at'] or '–'} to {totals['last_at'] or '–'}."
    )
    for name, value in totals["sums"].items():
        click.echo(f"Sum of {name}: {value}")
    for code, count in sorted(outcome.reasons.items(), key=lambda item: -item[1]):
        click.echo(f"{count} × {why_rejected(code)}", err=True)
    for row, code, column, value in errors[:SHOWN_REASONS]:
        click.echo(f"  row {row}: {why_rejected(code)}{f' ({column})' if column else ''}: {value}", err=True)
    return {
        "rows": outcome.rows,
        "new": outcome.new,
        "replayed": outcome.replayed,
        "rejected": outcome.rejected,
        "people": totals["people"],
        "objects": totals["objects"],
    }


class Progress:
    """A line on stderr that counts up, where stderr is a terminal."""

    def __init__(self, expected: int) -> None:
        self._expected, self._shown = expected, sys.stderr.isatty()

    def show(self, rows: int) -> None:
        """Say how many rows are read."""
        if self._shown:
            share = min(rows / self._expected, 1) if self._expected else 1
            click.echo(f"\r{'█' * round(share * 30):30} {share:4.0%} {rows} rows", nl=False, err=True)

    def end(self) -> None:
        """Leave the line."""
        if self._shown:
            click.echo(err=True)
