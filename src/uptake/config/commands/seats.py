"""`uptake seats`: what the products are, and who was given which of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from django.core.exceptions import ValidationError
from django.utils import timezone

from uptake.config.command import Deed, Deeds, Refusal
from uptake.connectors.files.formats import open_table
from uptake.connectors.files.seats import MOST_ROWS, NoSuchColumns, TooManySeats, seats_in
from uptake.connectors.files.table import UnreadableFile
from uptake.connectors.files.words import why_unreadable
from uptake.directory.define_product import NoName, SlugTaken, WrongNumbers, define_product
from uptake.directory.issue_seats import issue_seats, preview_seats
from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import EVERYTHING

SHOWN_REFUSALS = 10
WHY = {
    "no_company": "there is no such company here",
    "no_product": "there is no such product here",
    "nobody": "nobody here has this staff number or e-mail",
    "two_people": "it means more than one person",
    "bad_date": "a date cannot be read",
    "ends_early": "it is invited to or ends before it was issued",
    "twice": "it stands in the list already",
}


@click.group(cls=Deeds)
def command() -> None:
    """Describe products, and issue seats of them."""


@click.command(name="import", cls=Deed)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--organization", metavar="SLUG", help="The company, or a park whose rows name one; default: the top.")
@click.option("--product", metavar="SLUG", default="", help="The product of rows that name none.")
@click.option("--dry-run", is_flag=True, help="Say what would become of the rows; write nothing.")
def import_list(file: Path, organization: str | None, product: str, dry_run: bool) -> dict[str, Any]:
    """Issue the seats of a list FILE (CSV or XLSX): product, staff number, e-mail or account, issued, invited, until.

    The same list a second time changes nothing.
    """
    place = _place(organization)
    try:
        rows = seats_in(open_table(file), product=product)
    except UnreadableFile as refusal:
        raise Refusal(f"{file.name}: {why_unreadable(refusal)}") from refusal
    except NoSuchColumns:
        raise Refusal(f"{file.name}: a heading for staff number, e-mail or account is needed.") from None
    except TooManySeats:
        raise Refusal(f"{file.name}: more than {MOST_ROWS} rows.") from None
    now = timezone.now()
    today = settings_at(place).date_of(now)
    if dry_run:
        fates = preview_seats(rows, place=place, today=today, by=EVERYTHING)
        click.echo("Dry run: nothing was written.")
    else:
        fates = issue_seats(rows, place=place, today=today, by=EVERYTHING, now=now)
    counts = {name: sum(fate.fate == name for fate in fates) for name in ("new", "changed", "known", "refused")}
    click.echo(f"{len(rows)} rows read: " + ", ".join(f"{n} {name}" for name, n in counts.items()) + ".")
    refused = [fate for fate in fates if fate.fate == "refused"]
    for fate in refused[:SHOWN_REFUSALS]:
        click.echo(f"  row {fate.row.line}: {WHY[fate.reason]}", err=True)
    return {"rows": len(rows), **counts}


@click.command(cls=Deed)
@click.argument("slug")
@click.option("--name", required=True, help="The name in English.")
@click.option("--name-zh", default="", help="The name in Chinese.")
@click.option("--organization", metavar="SLUG", help="The park or company that gives it; default: the top.")
@click.option("--source", "sources", metavar="SLUG", multiple=True, help="A connection its events come in by.")
@click.option("--core", "core", metavar="EVENT", multiple=True, help="A name of events that count as first value.")
@click.option("--habit", metavar="N/M", default="3/4", show_default=True, help="Active in N of M weeks.")
@click.option("--judged-after", metavar="DAYS", type=int, default=14, show_default=True)
def product(
    slug: str,
    name: str,
    name_zh: str,
    organization: str | None,
    sources: tuple[str, ...],
    core: tuple[str, ...],
    habit: str,
    judged_after: int,
) -> dict[str, Any]:
    """Say what the product SLUG is; saying it again changes what is new."""
    weeks, _sign, of = habit.partition("/")
    if not (weeks.isdigit() and of.isdigit()):
        raise Refusal(f"--habit is written as 3/4, not {habit!r}.")
    place = _place(organization)
    try:
        define_product(
            slug=slug, organization=place, name_en=name, name_zh=name_zh, sources=sources, core_actions=core,
            habitual_weeks=int(weeks), habitual_of_weeks=int(of), judged_after_days=judged_after, by=EVERYTHING,
            now=timezone.now(),
        )  # fmt: skip
    except SlugTaken:
        raise Refusal(f"Another place has a product {slug}.") from None
    except (NoName, ValidationError):
        raise Refusal("A product needs a name, and a slug of letters, digits, - and _.") from None
    except WrongNumbers:
        raise Refusal("Weeks lie between 1 and 26, the first not above the second; days between 1 and 365.") from None
    click.echo(f"{name} is a product of {place.name}.")
    return {"product": slug, "organization": place.slug}


def _place(slug: str | None) -> Organization:
    places = Organization.objects.open().filter(kind__in=(Kind.PARK, Kind.COMPANY))
    found = list(places.filter(slug=slug) if slug else places.filter(parent=None))
    if len(found) == 1:
        return found[0]
    known = ", ".join(places.order_by("slug").values_list("slug", flat=True)[:50])
    raise Refusal(f"Say which with --organization. There are: {known or 'none yet'}.")


command.add_command(import_list)
command.add_command(product)
