"""Writes docs/reference/ from what the code declares; `--check` fails where a page is not as it would be written."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
FOLDER = HERE / "docs" / "reference"
NOTE = "<!-- Written by `python tools/reference.py`; a test proves it fresh. Do not edit. -->"


def settings() -> str:
    """Every setting of the installation."""
    from uptake.config.options import OPTIONS

    rows = [(f"`{one.name}`", f"`{one.default}`" if one.default else "empty", one.sentence) for one in OPTIONS]
    return _page(
        "Settings",
        "Read from the environment; there is no settings file. Each has a default, so none is needed to try Uptake.",
        _table(("Setting", "Default", "What it says"), rows),
    )


def commands() -> str:
    """Every command with its help."""
    import click

    from uptake.config.command import ENTRIES, main

    parts = []
    context = click.Context(main, info_name="uptake", **main.context_settings)
    for entry in ENTRIES:
        command = main.get_command(context, entry.name)
        assert command, f"{entry.name} stands in the list"
        parts.append(f"## uptake {entry.name}\n\n{_help(command, context, entry.name)}")
    return _page(
        "Commands",
        "Every command answers `--help`, ends with an exit code other than 0 when it fails (1 refused or broken, 2 used"
        " wrongly, 130 interrupted), and with `--json` prints one JSON object as its last line; a failure prints"
        ' `{"error": …}`.',
        *parts,
    )


def jobs() -> str:
    """Every job of the runner."""
    from uptake.jobs.list import JOBS

    woken = ", and at once when events come in"
    rows = [
        (f"`{job.name}`", f"{job.every_seconds:g} s{woken if job.woken else ''}", job.lane.value, str(job.sentence))
        for job in JOBS
    ]
    return _page(
        "Jobs",
        "What runs unasked. Jobs of one lane run one after the other; lanes do not wait for each other. One process of"
        " an installation runs them at a time; a job that fails is tried again after pauses of up to ten minutes.",
        _table(("Job", "Runs every", "Lane", "What it does"), rows),
    )


def events_api() -> str:
    """The intake API, from its OpenAPI description."""
    from uptake.web.api.urls import api

    found: dict[str, Any] = dict(api.get_openapi_schema(path_prefix="/api/v1/"))
    parts = []
    for path, deeds in found["paths"].items():
        for method, deed in deeds.items():
            parts.append(f"## {method.upper()} {path}\n\n{deed.get('description', deed['summary'])}")
            body = deed.get("requestBody")
            if body:
                parts.append(f"### Request\n\n{body.get('description', '')}".rstrip())
                parts.extend(_shape(shape) for content in body["content"].values() for shape in _shapes(content))
            answers: dict[str, str] = {}
            for code, answer in deed["responses"].items():
                answers[str(code)] = answer["description"]
            parts.append("### Answers\n\n" + _table(("Status", "Meaning"), sorted(answers.items())))
    parts.extend(_shape(shape) for shape in found["components"].get("schemas", {}).values())
    info = found["info"]
    return _page(
        "Events API", f"{info['description']} The machine-readable form is served at `/api/v1/openapi.json`.", *parts
    )


def _help(command: Any, above: Any, name: str) -> str:
    import click

    # click keeps the option of help as it was first asked for, which may have been outside of `uptake`.
    command._help_option = None
    inside = click.Context(command, info_name=name, parent=above, terminal_width=100, max_content_width=100)
    text = f"```text\n{command.get_help(inside)}\n```"
    if isinstance(command, click.Group):
        for word in command.list_commands(inside):
            below = command.get_command(inside, word)
            assert below, f"{word} stands in the list"
            text += f"\n\n{_help(below, inside, word)}"
    return text


def _shapes(content: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    schema = content["schema"]
    return [shape for shape in schema.get("oneOf", [schema]) if shape.get("properties") and shape.get("required")][:1]


def _shape(schema: Mapping[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = [
        (f"`{name}`", _type(field), "yes" if name in needed else "", field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    ]
    described = f"\n\n{schema['description']}" if schema.get("description") else ""
    return f"### {schema['title']}{described}\n\n" + _table(("Field", "Type", "Required", "Meaning"), rows)


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(one) for one in field["anyOf"]))
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("format") or field.get("type") or "anything")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _column in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def _page(title: str, lead: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTE, lead, *parts]) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings,
    "commands.md": commands,
    "jobs.md": jobs,
    "events-api.md": events_api,
}


def written() -> dict[str, str]:
    """Every page as it has to be, by its name. Django must be set up."""
    from django.utils import translation

    with translation.override("en"):
        return {name: write() for name, write in PAGES.items()}


def main(words: list[str]) -> int:
    """Write the pages, or with --check say which are stale."""
    with tempfile.TemporaryDirectory(prefix="uptake-reference-") as folder:
        os.environ.setdefault("UPTAKE_DATA", folder)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "uptake.config.settings")
        import django

        django.setup()
        pages = written()
    stale = [
        name for name, text in pages.items() if not (FOLDER / name).exists() or (FOLDER / name).read_text() != text
    ]
    if "--check" in words:
        for name in stale:
            print(f"docs/reference/{name} is not as the code says; run: python tools/reference.py")
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(pages[name])
        print(f"docs/reference/{name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
