"""`uptake case FILE…`: answers case files and compares with what they expect."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from uptake.config.command import Deed

POINTS = "uptake.programme.cases"
"""The module that runs cases of points; it has `run(case) -> list of differences` like the activity engine's."""
SENDING = "uptake.connectors.cases"
"""The module that runs cases of what clients send, of wrong clocks and of repeats."""


@click.command(cls=Deed)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.pass_context
def command(context: click.Context, files: tuple[Path, ...]) -> dict[str, Any] | None:
    """Answer case files: a line each, then the sum. Fails if any failed."""
    failed = 0
    results: dict[str, list[str]] = {}
    for file in files:
        differences = differences_of(file)
        results[str(file)] = differences
        failed += bool(differences)
        click.echo(f"{file}: {'ok' if not differences else '; '.join(differences)}")
        if otherwise := _told_otherwise(file):
            click.echo(f"{file}: {otherwise}", err=True)
    click.echo(f"{len(files) - failed} passed, {failed} failed")
    answer = {"passed": len(files) - failed, "failed": failed, "files": results}
    if failed:
        if context.meta.get("uptake.json"):
            click.echo(json.dumps(answer, ensure_ascii=False))
        raise click.exceptions.Exit(1)
    return answer


def differences_of(file: Path) -> list[str]:
    """What is wrong with the answer to one case file; nothing if it is right."""
    try:
        case = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as reason:
        return [f"cannot be read: {reason}"]
    if not isinstance(case, Mapping):
        return ["is not a case: expected an object"]
    try:
        return _runner(str(case.get("analysis")))(case)
    except ModuleNotFoundError as reason:
        return [f"analysis {case.get('analysis')!r} is not built yet ({reason})"]
    except Exception as failure:  # one broken case must not hide the others
        return [f"failed: {type(failure).__name__}: {failure}"]


def _told_otherwise(file: Path) -> str:
    """In which other ways a case of points was told, with the seeds."""
    try:
        case = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    also = case.get("also") if isinstance(case, Mapping) and case.get("analysis") == "points" else None
    if not isinstance(also, list) or not also:
        return ""
    from uptake.programme.cases import SEEDS

    return f"also told otherwise: {', '.join(map(str, also))}; seeds {', '.join(map(str, SEEDS))}"


def _runner(analysis: str) -> Callable[[Mapping[str, Any]], list[str]]:
    run: Callable[[Mapping[str, Any]], list[str]]
    if analysis == "points":
        run = importlib.import_module(POINTS).run
    elif analysis in {"ingest", "skew", "dedupe"}:
        run = importlib.import_module(SENDING).run
    else:
        from uptake.activity.cases import run
    return run
