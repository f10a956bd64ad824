"""What a source of people says, in plain values: departments and people, all of them or those that changed. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+")
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Department:
    """A department by its id at the source; without `parent_key` it lies right below the company."""

    key: str
    name: str
    parent_key: str = ""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person by their id at the source. Empty texts are unknown and change nothing; phones are never read."""

    key: str
    name: str = ""
    email: str = ""
    staff_number: str = ""
    work: str = ""
    place_key: str = ""
    manager_key: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`complete`: whoever is not named is gone. Else only what is named is spoken of."""

    departments: Sequence[Department]
    people: Sequence[Somebody]
    complete: bool = True


def tidied(said: Snapshot) -> Snapshot:
    """Texts without stray spaces, as long as a column holds; what is no e-mail address is none; one entry a key."""
    places = {
        one.key: replace(one, name=_text(one.name, 200) or one.key[:200])
        for one in said.departments
        if 0 < len(one.key) <= LONGEST_KEY
    }
    people = {
        one.key: replace(
            one,
            name=_text(one.name, 200),
            email=one.email.strip() if EMAIL.fullmatch(one.email.strip()) and len(one.email.strip()) <= 254 else "",
            staff_number=_text(one.staff_number, 64),
            work=_text(one.work, 100),
        )
        for one in said.people
        if 0 < len(one.key) <= LONGEST_KEY
    }
    return Snapshot(tuple(places.values()), tuple(people.values()), said.complete)


def _text(text: str, longest: int) -> str:
    return " ".join(text.replace("\x00", "").split())[:longest]
