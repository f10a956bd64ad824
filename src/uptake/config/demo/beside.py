"""Plants in a process of its own what depends on little else, so that a machine of two cores has both at work.

The child feeds the activity engine and evaluates the interventions, while its parent plants the rest. Each of its
steps is also taken by the parent where the child did not get to it.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

log = logging.getLogger(__name__)


@contextmanager
def planting_beside(folder: Path, now: datetime) -> Iterator[None]:
    """Begins the child, and waits for it at the end."""
    child = subprocess.Popen(  # noqa: S603 (no word of it comes from outside)
        [sys.executable, "-m", __name__, str(folder), now.isoformat()], stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        if failed := child.wait():
            log.warning("The process that planted beside ended with %s; this one goes on.", failed)


def main() -> None:
    """The child: feeds the activity engine, then evaluates."""
    from uptake.config.command import set_up_django

    set_up_django()
    from uptake.config.demo.build import planned_again
    from uptake.config.demo.impact import plant_impact
    from uptake.insight.feed.refresh import refresh

    folder, now = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
    refresh(now=now)
    plant_impact(planned_again(folder, now), now)


if __name__ == "__main__":
    main()
