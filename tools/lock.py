"""Pins every dependency anew: names, versions and hashes, never addresses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
# The first two are installed together, so the second is made under the first (see -c in requirements-dev.in); the peers
# of the bench live alone.
LOCKS = ("requirements", "requirements-dev", "requirements-bench")
QUIET = ("--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host", "--no-header", "--quiet")


def main(words: list[str]) -> int:
    """Write the locks; `words` go to pip-compile, e.g. --upgrade-package django."""
    for lock in LOCKS:
        compile_ = [str(Path(sys.executable).parent / "pip-compile"), "--generate-hashes", "--allow-unsafe"]
        made = subprocess.run(
            [*compile_, "--strip-extras", *QUIET, *words, "--output-file", f"{lock}.txt", f"{lock}.in"], cwd=HERE
        )
        if made.returncode:
            return made.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
