"""`uptake people`: a person is erased for good, leave is taken in from a file of HR."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from uptake.config.command import Deeds, Refusal


@click.group(cls=Deeds)
def command() -> None:
    """People."""


@command.command()
@click.argument("person", type=int)
@click.option(
    "--policy",
    type=click.Choice(["anonymise", "drop"]),
    required=True,
    help="anonymise: the counts stay, for nobody known; drop: nothing of the person counts any more.",
)
@click.option("--name", default="", help="The person's name, to confirm. Without it, only what would happen is shown.")
def erase(person: int, policy: str, name: str) -> dict[str, Any]:
    """Erase a person for good. PERSON is their number, as in the address of their page."""
    from uptake.directory.erase import AlreadyErased, LastAdministrator, NameDiffers, subject_of
    from uptake.directory.erase import erase as erase_person
    from uptake.directory.models import Person, Policy
    from uptake.directory.scope import EVERYTHING
    from uptake.web.erasing import TREATMENTS

    now = datetime.now(UTC)
    found = Person.objects.filter(pk=person).first()
    if found is None or found.erased_at is not None:
        raise Refusal(f"There is nobody with the number {person}.")
    chosen = Policy(policy)
    if not name:
        subject = subject_of(found, chosen, by=EVERYTHING, now=now)
        counts = {one.name: one.count(subject) for one in TREATMENTS}
        for one in TREATMENTS:
            click.echo(f"{one.title}: {counts[one.name]} – {one.means[chosen]}")
        click.echo(f"Nothing was erased yet: repeat with --name and the name of person {person}.")
        return {"person": person, "policy": policy, "erased": False, "counts": counts}
    try:
        erasure = erase_person(
            person=found, policy=chosen, name=name, treatments=TREATMENTS, by=EVERYTHING, now=now
        )  # fmt: skip
    except NameDiffers:
        raise Refusal(f"That is not the name of person {person}.") from None
    except AlreadyErased:
        raise Refusal(f"There is nobody with the number {person}.") from None
    except LastAdministrator:
        raise Refusal("This is the last administrator; give the role to another one first.") from None
    click.echo(f"Person {person} was erased.")
    return {"person": person, "policy": policy, "erased": True, "counts": erasure.counts}


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--organization", metavar="SLUG", required=True, help="The company.")
def leave(file: Path, organization: str) -> dict[str, Any]:
    """Take leave in from a CSV FILE of HR: the columns staff_number or email, from, to (the last day)."""
    from uptake.directory.import_leave import NoColumns, TooManyRows
    from uptake.directory.models import Kind, Organization
    from uptake.directory.scope import EVERYTHING
    from uptake.events.moved import take_leave_in

    company = Organization.objects.filter(slug=organization, kind=Kind.COMPANY).first()
    if company is None:
        raise Refusal(f"There is no company {organization!r}.")
    try:
        text = file.read_text(encoding="utf-8-sig")
        found = take_leave_in(text=text, company=company, by=EVERYTHING, now=datetime.now(UTC))
    except UnicodeDecodeError:
        raise Refusal("The file is not in UTF-8.") from None
    except NoColumns:
        raise Refusal("The first line must name the columns: staff_number or email, from, to.") from None
    except TooManyRows:
        raise Refusal("The file has more than 20,000 rows.") from None
    for line, why in found.refused:
        click.echo(f"Line {line}: {why.replace('_', ' ')}")
    click.echo(f"{found.added} added, {found.known} known before, {len(found.refused)} not added.")
    return {"added": found.added, "known": found.known, "refused": found.refused}
