"""`uptake people erase`: a person is erased for good."""

from __future__ import annotations

from datetime import UTC, datetime
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
