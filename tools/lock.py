"""Pins every dependency anew: names, versions and hashes, never addresses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
# All but the last three are installed together, so each is made under those before it; the peers of the bench, Tryton
# and Canaille live alone.
LOCKS = (
    "requirements",
    "requirements-s3",
    "requirements-cluster",
    "requirements-oracle",
    "requirements-mysql",
    "requirements-saml",
    "requirements-dev",
    "requirements-bench",
    "requirements-tryton",
    "requirements-canaille",
)
UNDER = {
    "requirements-s3": ("requirements",),
    "requirements-cluster": ("requirements", "requirements-s3"),
    "requirements-oracle": ("requirements", "requirements-s3", "requirements-cluster"),
    "requirements-mysql": ("requirements",),
    "requirements-saml": ("requirements",),
    "requirements-dev": ("requirements", "requirements-s3", "requirements-cluster"),
}
QUIET = ("--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host", "--no-header", "--quiet")


def main(words: list[str]) -> int:
    """Write the locks; `words` go to pip-compile, e.g. --upgrade-package django."""
    for lock in LOCKS:
        compile_ = [str(Path(sys.executable).parent / "pip-compile"), "--generate-hashes", "--allow-unsafe"]
        under = [word for other in UNDER.get(lock, ()) for word in ("-c", f"{other}.txt")]
        made = subprocess.run(
            [*compile_, "--strip-extras", *QUIET, *words, *under, "--output-file", f"{lock}.txt", f"{lock}.in"],
            cwd=HERE,
        )
        if made.returncode:
            return made.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
