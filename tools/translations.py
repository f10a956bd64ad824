"""The translations: `compile` makes the files the server reads; `check` fails for a text without a translation."""

from __future__ import annotations

import sys
from pathlib import Path

import polib

HERE = Path(__file__).resolve().parent.parent


def catalogues() -> list[Path]:
    """Every .po file of the rooms."""
    return sorted(HERE.glob("src/uptake/**/locale/*/LC_MESSAGES/*.po"))


def compile_all() -> int:
    """Write the .mo beside each .po."""
    for file in catalogues():
        polib.pofile(str(file)).save_as_mofile(str(file.with_suffix(".mo")))
    return 0


def check_all() -> int:
    """Name every text that is fuzzy or untranslated; 1 if there is one, or if there is no catalogue at all."""
    if not catalogues():
        print("There is no translation at all.")
        return 1
    found = 0
    for file in catalogues():
        catalogue = polib.pofile(str(file))
        for entry in [*catalogue.fuzzy_entries(), *catalogue.untranslated_entries()]:
            found += 1
            state = "fuzzy" if entry.fuzzy else "untranslated"
            print(f"{file.relative_to(HERE)}:{entry.linenum}: {state}: {entry.msgid[:80]!r}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit({"compile": compile_all, "check": check_all}[sys.argv[1]]())
