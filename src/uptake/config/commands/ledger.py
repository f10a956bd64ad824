"""`uptake ledger`: whether the ledger is true, and where its chains stand."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from django.conf import settings

from uptake.config.command import Deed, Deeds, Refusal
from uptake.jobs.whole_ledger import verify_everything
from uptake.ledger.balances import heads
from uptake.ledger.models import Transfer
from uptake.ledger.proof import BrokenProof, check_proof, public_key_of
from uptake.ledger.verify import Report


@click.group(cls=Deeds)
def command() -> None:
    """Verify the ledger."""


@click.command(cls=Deed)
@click.option("--book", type=int, metavar="COMPANY", help="Only the book of this company (its number).")
@click.pass_context
def verify(context: click.Context, book: int | None) -> dict[str, Any]:
    """Check every promise about points; exit code 1 if one does not hold."""
    rows = Transfer.objects.all() if book is None else Transfer.objects.filter(book=book)
    with click.progressbar(length=rows.count(), label="Transfers", file=sys.stderr) as bar:
        report = verify_everything(book=book, tell=bar.update)
    answer = _told(report)
    for problem in report.problems:
        where = f", transfer {problem.seq}" if problem.seq is not None else ""
        click.echo(f"Book {problem.book}{where}: {problem.invariant}: {problem.what}", err=True)
    if report.holds:
        click.echo(f"The ledger holds: {report.transfers} transfers in {len(report.books)} books.")
    else:
        click.echo(f"The ledger is broken: {len(report.problems)} problems.", err=True)
        if context.meta.get("uptake.json"):
            click.echo(json.dumps(answer, ensure_ascii=False, default=str))
        context.exit(1)
    return answer


@click.command(name="heads", cls=Deed)
def show_heads() -> dict[str, Any]:
    """Print the head of each book's chain, to be published outside the database."""
    found = heads()
    for head in found:
        click.echo(f"{head.book} {head.seq} {head.hash}")
    return {"heads": [asdict(head) for head in found]}


@click.command(name="proof-check", cls=Deed)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    "public_key",
    metavar="BASE64",
    help="Public key of the installation that made it, as /points/proof-key/ shows it; default: this installation's.",
)
def proof_check(file: Path, public_key: str | None) -> dict[str, Any]:
    """Check a signed proof of points without any database; exit code 1 if it does not hold."""
    try:
        document = json.loads(file.read_bytes())
        found = check_proof(document, public_key=public_key or public_key_of(settings.PROOF_KEY))
    except ValueError as problem:
        raise Refusal("The file cannot be read as JSON") from problem
    except BrokenProof as problem:
        raise Refusal(str(problem)) from problem
    balances = ", ".join(f"{part} {points}" for part, points in found.balances.items())
    click.echo(f"The proof holds: {found.transfers} transfers of person {found.owner}, {balances};")
    click.echo(f"made {found.made_at} at transfer {found.seq} of book {found.book}, head {found.hash}.")
    return asdict(found)


def _told(report: Report) -> dict[str, Any]:
    return {
        "holds": report.holds,
        "transfers": report.transfers,
        "books": [asdict(book) for book in report.books],
    }


command.add_command(verify)
command.add_command(show_heads)
command.add_command(proof_check)
