"""`uptake jobs`: runs the jobs as a process of their own."""

from __future__ import annotations

import signal
import threading
from typing import Any

import click

from uptake.config.command import Deed
from uptake.config.commands.migrate import bring_up_to_date
from uptake.jobs.list import JOBS
from uptake.jobs.loop import Runner


@click.command(cls=Deed)
def command() -> dict[str, Any]:
    """Run the jobs until told to stop; set UPTAKE_JOBS=apart for the server. A second runner stands by."""
    bring_up_to_date()
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    runner = Runner(JOBS)
    runner.start()
    click.echo(f"The jobs run: {', '.join(job.name for job in JOBS)}.")
    over.wait()
    runner.stop()
    return {"jobs": [job.name for job in JOBS]}
