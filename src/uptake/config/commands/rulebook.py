"""`uptake rulebook`: a rulebook file checked, compared, exported, taken in as a draft, back-tested, and searched."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import yaml

from uptake.config.command import Deed, Deeds, Refusal
from uptake.config.commands.rules import FILE, _place, _read, check
from uptake.directory.place import settings_at
from uptake.directory.scope import EVERYTHING
from uptake.programme.backtest.back_test import back_test
from uptake.programme.backtest.crew import WorkerLost
from uptake.programme.backtest.replay import as_of
from uptake.programme.drafting.begin import NoTitle, begin_draft
from uptake.programme.exploit.effort import NotMinutes, effort_of
from uptake.programme.exploit.search import search
from uptake.programme.in_force import rulebook_version_on
from uptake.programme.publish import NotAPlaceOfRules, OtherClock
from uptake.programme.rulebook import Rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.rulebook_writing import hash_of, to_file
from uptake.programme.sentences import Labels, refusal_sentence, rule_sentences

LONGEST_DAYS = 3660


@click.group(cls=Deeds)
def command() -> None:
    """Check, compare, export, take in, back-test and search rulebook files."""


@click.command(cls=Deed)
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
def diff(old: Path, new: Path) -> dict[str, Any]:
    """Say in sentences what the rulebook file NEW changes in the file OLD."""
    before, after = _read(old), _read(new)
    changed = changes(before, after)
    for line in changed:
        click.echo(line)
    if not changed:
        click.echo("Nothing changes.")
    return {"changes": changed, "old": hash_of(before), "new": hash_of(after)}


@click.command(cls=Deed)
@click.option("--organization", metavar="SLUG", help="The company or park; default: the only one.")
@click.option("--as", "kind", type=click.Choice(["json", "yaml"]), default="json", show_default=True)
def export(organization: str | None, kind: str) -> dict[str, Any]:
    """Print the rulebook in force at a place as a file."""
    place = _place(organization)
    version = rulebook_version_on(place, _today(place))
    if version is None:
        raise Refusal(f"No rulebook applies to {place.name}.")
    plain = json.loads(version.file)
    if kind == "json":
        text = json.dumps(plain, indent=2, ensure_ascii=False)
    else:
        text = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False).rstrip("\n")
    click.echo(text)
    return {"number": version.number, "sha256": version.sha256}


@click.command(name="import", cls=Deed)
@click.argument("file", type=FILE)
@click.option("--organization", metavar="SLUG", help="The company or park; default: the only one.")
@click.option("--title", help="What is to change; default: the name of the file.")
def import_file(file: Path, organization: str | None, title: str | None) -> dict[str, Any]:
    """Take a rulebook FILE (JSON or YAML) in as a draft, to be edited and back-tested in the rule builder."""
    place = _place(organization)
    try:
        draft = begin_draft(
            organization=place,
            title=title or file.stem,
            rulebook=file.read_bytes(),
            by=EVERYTHING,
            now=datetime.now(UTC),
        )
    except RulebookRefused as refused:
        raise Refusal(refusal_sentence(refused)) from None
    except OtherClock as refused:
        raise Refusal(f"Not taken in: {refused}.") from None
    except NotAPlaceOfRules:
        raise Refusal(f"{place.slug} is neither a company nor a park.") from None
    except NoTitle:
        raise Refusal("A draft needs a title of at most 200 characters.") from None
    click.echo(f"Draft {draft.pk} of {place.name}: {draft.title}.")
    return {"draft": draft.pk, "sha256": draft.sha256}


@click.command(cls=Deed)
@click.argument("file", type=FILE)
@click.option("--organization", metavar="SLUG", help="The company or park; default: the only one.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=90, show_default=True, help="So many days back.")
@click.option("--until", metavar="DATE", help="The first date no longer replayed; default: today.")
@click.option("--sample", type=click.IntRange(1), help="Draw at most so many people.")
def backtest(file: Path, organization: str | None, days: int, until: str | None, sample: int | None) -> dict[str, Any]:
    """Replay a rulebook FILE over the last days, beside the rulebook in force. Pays nothing, keeps nothing."""
    place = _place(organization)
    rulebook = _read(file)
    try:
        end = date.fromisoformat(until) if until else _today(place)
    except ValueError:
        raise Refusal(f"{until!r} is no date; it must look like 2026-05-14.") from None
    with click.progressbar(length=1000, label="Replaying", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> bool:
            bar.update(1000 * done // max(total, 1) - bar.pos)
            return True

        try:
            told = back_test(
                organization=place, rulebook=rulebook, until=end, days=days, sample=sample, progress=progress
            )
        except WorkerLost as lost:
            raise Refusal(str(lost)) from lost
    _say(told)
    return {key: value for key, value in told.items() if key != "each"}


@click.command(cls=Deed)
@click.argument("file", type=FILE)
@click.option(
    "--minutes", multiple=True, metavar="EVENT=MINUTES", help="What an honest deed takes; default: by its name."
)
@click.option(
    "--event", "events", multiple=True, metavar="EVENT", help="A further event that can happen, as one that undoes."
)
def exploit(file: Path, minutes: tuple[str, ...], events: tuple[str, ...]) -> dict[str, Any]:
    """Search a rulebook FILE for ways to earn without doing the work. The same file always has the same answer."""
    rulebook = _read(file)
    try:
        declared = {name: told for name, _equals, told in (one.partition("=") for one in minutes)}
        effort = effort_of(rulebook, known=events, declared=declared)
    except NotMinutes:
        raise Refusal("Minutes look like order.created=5, above 0 and at most a day.") from None
    with click.progressbar(length=1000, label="Searching", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> bool:
            bar.update(1000 * done // max(total, 1) - bar.pos)
            return True

        told = search(rulebook, effort, progress=progress)
    labels = Labels()
    for one in told["found"]:
        click.echo(
            f"{one['kind']}: {one['rule']} pays {one['points']} points in {one['minutes']} minutes for work worth "
            f"{one['worth']} ({one['a_minute']} a minute; {one['day']['gain']} too many in a day)"
        )
        for event in one["events"]:
            click.echo(f"  {event['at']} {event['event']} {event['object']} +{event['points']}")
        paying = max((rule for rule in rulebook.rules if rule.rule == one["rule"]), key=lambda rule: rule.version)
        click.echo(f"  paid by: {' '.join(rule_sentences(paying, labels, rulebook))}")
        for remedy in one["remedies"]:
            rest = ", ".join(f"{key} {value}" for key, value in remedy.items() if key != "remedy")
            click.echo(f"  closed by: {remedy['remedy']}{f' ({rest})' if rest else ''}")
    for lineage in told["unreached"]:
        click.echo(f"{lineage}: no event was found that pays, so nothing was tried.")
    if not told["found"]:
        click.echo(f"No trick pays ({told['rules']} rules, {told['judged']} events tried).")
    return told


def changes(before: Rulebook, after: Rulebook) -> list[str]:
    """A line for each rule that is new, gone or otherwise, and each sentence that goes or comes; then other parts."""
    today = datetime.now(UTC).date()
    labels = Labels()
    old = {rule.rule: rule for rule in as_of(before, today).rules}
    new = {rule.rule: rule for rule in as_of(after, today).rules}
    found = []
    for lineage in [*new, *(one for one in old if one not in new)]:
        was = rule_sentences(old[lineage], labels, before)[:-1] if lineage in old else []
        becomes = rule_sentences(new[lineage], labels, after)[:-1] if lineage in new else []
        if was != becomes:
            what = "new" if not was else "gone" if not becomes else "changed"
            found.append(f"{lineage} ({what})")
            found += [f"  - {sentence}" for sentence in was if sentence not in becomes]
            found += [f"  + {sentence}" for sentence in becomes if sentence not in was]
    left, right = to_file(before), to_file(after)
    for key in sorted({*left, *right} - {"rules"}):
        if left.get(key) != right.get(key):
            found.append(f"{key} (changed)")
            found += [f"  {sign} {json.dumps(one, ensure_ascii=False, default=str)}"
                      for sign, mine, other in (("-", left, right), ("+", right, left))
                      for one in _parts(mine.get(key)) if one not in _parts(other.get(key))]  # fmt: skip
    return found


def _parts(told: Any) -> list[Any]:
    if isinstance(told, dict):
        return [{key: value} for key, value in told.items()]
    return list(told or ())


def _say(told: dict[str, Any]) -> None:
    cost, change = told["cost"], told["change"]
    click.echo(f"{told['from']} to {told['until']}: {told['events']} events, {told['people']} people")
    click.echo(f"Points: {cost['before']} now, {cost['after']} by this file")
    click.echo(f"People: {change['more']} gain, {change['fewer']} lose, {change['same']} the same")
    click.echo(f"Gini: {told['gini']['before']} now, {told['gini']['after']} by this file")
    for one in told["rules"]:
        before, after = one["before"] or {}, one["after"] or {}
        click.echo(f"  {one['rule']}: {before.get('points', 0)} -> {after.get('points', 0)}")


def _today(place: Any) -> date:
    return settings_at(place).date_of(datetime.now(UTC))


for deed in (check, diff, export, import_file, backtest, exploit):
    command.add_command(deed)
