"""Everything that can be said about the code without running its tests; fails if one check fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTHON = sys.executable
LOCKS = (
    "requirements.txt",
    "requirements-s3.txt",
    "requirements-cluster.txt",
    "requirements-oracle.txt",
    "requirements-mysql.txt",
    "requirements-dev.txt",
)
CODE = ("src", "tests", "tools", "bench", "conftest.py")


@dataclass(frozen=True)
class Check:
    """A name and a deed that gives (holds, what to read)."""

    name: str
    deed: Callable[[], tuple[bool, str]]


def command(*words: str) -> Callable[[], tuple[bool, str]]:
    """A check that holds where the command ends well."""

    def deed() -> tuple[bool, str]:
        ended = subprocess.run(words, cwd=HERE, capture_output=True, text=True)
        return ended.returncode == 0, ended.stdout + ended.stderr

    return deed


def known_vulnerabilities() -> tuple[bool, str]:
    """No pinned package has a known vulnerability; holds, with a sentence, where no service could be asked."""
    for service in ("pypi", "osv"):
        locks = [word for lock in LOCKS for word in ("-r", lock)]
        options = ("--require-hashes", "--disable-pip", "--timeout", "10", "--progress-spinner", "off", "-f", "json")
        asked = subprocess.run(
            [str(BIN / "pip-audit"), *locks, *options, "-s", service], cwd=HERE, capture_output=True, text=True
        )
        try:
            packages = json.loads(asked.stdout)["dependencies"]
        except (ValueError, KeyError):
            continue
        audited = [package for package in packages if "skip_reason" not in package]
        if not audited:
            continue
        found = [
            f"{package['name']} {package['version']}: {flaw['id']}, mended in {flaw['fix_versions'] or 'no release'}"
            for package in audited
            for flaw in package["vulns"]
        ]
        if found:
            return False, "\n".join(found)
        return True, f"{len(audited)} of {len(packages)} packages asked for"
    return True, "NOT CHECKED: no service of known vulnerabilities could be reached from this machine"


def main() -> int:
    """Run the checks one after the other; 1 if one of them fails."""
    failed = []
    with tempfile.TemporaryDirectory(prefix="uptake-check-") as folder:
        os.environ.update(UPTAKE_DATA=folder, DJANGO_SETTINGS_MODULE="uptake.config.settings")
        os.environ.pop("UPTAKE_DATABASE_URL", None)
        for check in CHECKS:
            begun = time.monotonic()
            holds, words = check.deed()
            note = "" if not holds or "\n" in words.strip() else words.strip()[:110]
            took = f"{time.monotonic() - begun:.0f} s"
            print(f"check: {'ok    ' if holds else 'FAILED'} {check.name} ({took}) {note}".rstrip())
            sys.stdout.flush()
            if not holds:
                failed.append(check.name)
                print(words.rstrip())
    print(f"{len(CHECKS) - len(failed)} checks hold, {len(failed)} failed{': ' + ', '.join(failed) if failed else ''}")
    return 1 if failed else 0


CHECKS: tuple[Check, ...] = (
    Check("formatting", command(str(BIN / "ruff"), "format", "--check", "--quiet", ".")),
    Check("style", command(str(BIN / "ruff"), "check", "--quiet", ".")),
    Check("contracts between rooms", command(str(BIN / "lint-imports"))),
    Check("types", command(str(BIN / "mypy"), *(code for code in CODE if (HERE / code).exists()))),
    Check("migrations", command(PYTHON, "-m", "django", "makemigrations", "--check", "--dry-run")),
    Check("settings", command(PYTHON, "-m", "django", "check", "--fail-level", "WARNING")),
    Check("translations", command(PYTHON, "tools/translations.py", "check")),
    Check("generated reference", command(PYTHON, "tools/reference.py", "--check")),
    Check("known vulnerabilities", known_vulnerabilities),
)

if __name__ == "__main__":
    sys.exit(main())
