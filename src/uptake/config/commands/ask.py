"""`uptake ask QUESTION.json|-`: answers a question about activity, of the installation or of a file of events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click

from uptake.config.command import Deed, Refusal


@click.command(cls=Deed)
@click.argument("question", type=click.File("rb"), metavar="QUESTION.json|-")
@click.option(
    "--events",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of events (JSON list, a case file, or one JSON object a line: user, event, timestamp, properties).",
)
@click.pass_context
def command(context: click.Context, question: IO[bytes], events: Path | None) -> dict[str, Any]:
    """Answer a question. Without --events of everything the installation has recorded."""
    from uptake.activity import QuestionRefused, ask
    from uptake.activity.cases import log_of

    try:
        asked = json.loads(question.read())
    except ValueError as reason:
        raise Refusal(f"The question is no JSON: {reason}") from reason
    if not isinstance(asked, Mapping):
        raise Refusal("The question is not an object.")
    try:
        if events is not None:
            answer = ask(log_of(*events_in(events)), asked)
        elif asked.get("analysis") == "points":
            answer = _points(asked)
        else:
            answer = _of_installation(asked)
    except QuestionRefused as refused:
        raise Refusal(str(refused)) from refused
    if not context.meta.get("uptake.json"):
        click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
    return answer


def events_in(file: Path) -> tuple[list[Mapping[str, Any]], Mapping[str, list[str]]]:
    """(events, ids by person) of a file: one JSON list, a case file with "events" and perhaps "persons", or one JSON
    object a line."""
    text = file.read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
    except ValueError:
        try:
            whole = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as reason:
            raise Refusal(f"{file} is neither a JSON list nor JSON lines: {reason}") from reason
    persons: Mapping[str, list[str]] = {}
    if isinstance(whole, Mapping):
        persons = whole.get("persons") or {}
        whole = whole.get("events", [whole])
    for number, event in enumerate(whole, start=1):
        if not isinstance(event, Mapping) or "event" not in event or "timestamp" not in event:
            raise Refusal(f"Event {number} of {file} needs event and timestamp.")
        try:
            datetime.fromisoformat(str(event["timestamp"]))
        except ValueError as reason:
            raise Refusal(f"Event {number} of {file}: {reason}") from reason
    return list(whole), persons


def _of_installation(question: Mapping[str, Any]) -> dict[str, Any]:
    """The answer from the installation's own log, brought up to date first. The zone is the installation's if none
    is named."""
    from django.conf import settings

    from uptake.activity import ask
    from uptake.config.commands.migrate import bring_up_to_date
    from uptake.insight.feed.refresh import refresh
    from uptake.insight.feed.scope import widened
    from uptake.insight.feed.where import activity_log

    bring_up_to_date()
    refresh(now=datetime.now(UTC))
    return ask(activity_log(), {"timezone": settings.TIME_ZONE, **widened(question)})


def _points(question: Mapping[str, Any]) -> dict[str, Any]:
    """What the installation's awards came to. Refusal: a question that is not understood."""
    from uptake.config.commands.migrate import bring_up_to_date
    from uptake.directory.scope import EVERYTHING
    from uptake.programme.points_asked import PointsNotUnderstood, points_asked

    bring_up_to_date()
    try:
        return points_asked(question, EVERYTHING)
    except PointsNotUnderstood as refused:
        raise Refusal(str(refused)) from refused
