"""`uptake rules`: what a rulebook file says, which one is in force, and publishing one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from uptake.config.command import Deed, Deeds, Refusal
from uptake.directory.clock import ClockTooFar, ClockTooSoon, DateLost
from uptake.directory.models import Kind, Organization
from uptake.directory.scope import EVERYTHING
from uptake.programme.governance.streak_guard import StreaksUnbounded, check_streaks
from uptake.programme.models import RulebookVersion
from uptake.programme.publish import NotAPlaceOfRules, OtherClock, TooSoon, publish
from uptake.programme.rulebook import Rulebook
from uptake.programme.rulebook_reading import load_text, parse_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.rulebook_writing import hash_of
from uptake.programme.sentences import Labels, refusal_sentence, rule_sentence
from uptake.programme.streak_bounds import open_streaks, streak_sentence

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=Deeds)
def command() -> None:
    """Check, show and publish rulebooks."""


@click.command(cls=Deed)
@click.argument("file", type=FILE)
def check(file: Path) -> dict[str, Any]:
    """Say in sentences what a rulebook FILE (JSON or YAML) would do, or why it is refused."""
    rulebook = _read(file)
    _say(rulebook)
    warnings = [streak_sentence(one) for one in open_streaks(rulebook, datetime.now(UTC).date())]
    for warning in warnings:
        click.echo(f"Warning: {warning}")
    return {"rules": len(rulebook.rules), "sha256": hash_of(rulebook), **({"warnings": warnings} if warnings else {})}


@click.command(name="publish", cls=Deed)
@click.argument("file", type=FILE)
@click.option("--organization", metavar="SLUG", help="The company or park; default: the only one.")
@click.option("--from", "from_date", metavar="DATE", help="First date in force; default: today for the first rulebook.")
@click.option("--change-clock", is_flag=True, help="Give the place the other clock that the file names, from then on.")
def publish_file(file: Path, organization: str | None, from_date: str | None, change_clock: bool) -> dict[str, Any]:
    """Publish a rulebook FILE (JSON or YAML); a changed rulebook applies from the next day at the earliest."""
    place = _place(organization)
    try:
        day = date.fromisoformat(from_date) if from_date else datetime.now(UTC).date()
    except ValueError:
        raise Refusal(f"{from_date!r} is no date; it must look like 2026-05-14.") from None
    try:
        check_streaks(place, _read(file), day)
        version = publish(
            rulebook=file.read_bytes(),
            organization=place,
            in_force_date=day,
            by=EVERYTHING,
            now=datetime.now(UTC),
            changes_clock=change_clock,
        )
    except RulebookRefused as refused:
        raise Refusal(refusal_sentence(refused)) from None
    except (TooSoon, OtherClock, ClockTooSoon, ClockTooFar, DateLost) as refused:
        raise Refusal(f"Not published: {refused}.") from None
    except StreaksUnbounded as refused:
        said = " ".join(map(streak_sentence, refused.streaks))
        raise Refusal(f"Not published: {said} The terms of {place.slug} refuse that.") from None
    except NotAPlaceOfRules:
        raise Refusal(f"{place.slug} is neither a company nor a park.") from None
    click.echo(f"Rulebook {version.number} of {place.name} is in force from {version.in_force_date}.")
    return {"number": version.number, "from": str(version.in_force_date), "sha256": version.sha256}


@click.command(cls=Deed)
@click.option("--organization", metavar="SLUG", help="The company or park; default: the only one.")
def show(organization: str | None) -> dict[str, Any]:
    """Print the latest rulebook of a place as the file it is."""
    place = _place(organization)
    version = RulebookVersion.objects.applying_to(place).order_by("-in_force_date", "-number").first()
    if version is None:
        raise Refusal(f"No rulebook applies to {place.name}.")
    click.echo(version.file)
    return {"number": version.number, "from": str(version.in_force_date), "sha256": version.sha256}


def _read(file: Path) -> Rulebook:
    try:
        return parse_rulebook(load_text(file.read_bytes()))
    except RulebookRefused as refused:
        raise Refusal(refusal_sentence(refused)) from None


def _say(rulebook: Rulebook) -> None:
    labels = Labels()
    for rule in rulebook.rules:
        click.echo(f"{rule.rule} {rule.version}: {rule_sentence(rule, labels, rulebook)}")


def _place(slug: str | None) -> Organization:
    places = Organization.objects.filter(kind__in=(Kind.PARK, Kind.COMPANY))
    if slug is not None:
        found = places.filter(slug=slug).first()
        if found is None:
            raise Refusal(f"There is no company or park {slug!r}.")
        return found
    roots = list(places.filter(parent=None)[:2])
    if len(roots) != 1:
        raise Refusal("Name the company or park with --organization.")
    return roots[0]


for deed in (check, publish_file, show):
    command.add_command(deed)
