"""Which column means what: the mapping from a table to happenings, as a value that is kept and remembered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

TYPES = ("text", "number", "boolean", "date")
PERSON_IS = ("id", "email", "staff_number")
ORDERS = ("", "dmy", "mdy")
NAME_JOINT = "."
"""Between the parts of a name from several columns: `concept:name` + `lifecycle:transition` → A_SUBMITTED.COMPLETE."""


class UnfitMapping(Exception):
    """The mapping does not fit the table. `code` names why, `column` which column; `columns` are those there are."""

    def __init__(self, code: str, *, column: str = "", columns: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {column}" if column else code)
        self.code = code
        self.column = column
        self.columns = tuple(columns)


@dataclass(frozen=True, slots=True)
class Property:
    """One fact of the events: its name, the column it comes from and its type (text, number, boolean or date)."""

    name: str
    column: str
    type: str = "text"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which column means what. Only `name` and `time` must be there; without `person` nobody did it."""

    name: tuple[str, ...]
    """Columns whose values make up the event's name, joined by NAME_JOINT; empty parts are left out."""
    time: str
    person: str = ""
    person_is: str = "id"
    """What stands in the person column: an id of the source, an e-mail address or a staff number."""
    person_name: str = ""
    object: str = ""
    company: str = ""
    """Slug or name of a company below the organization of the import."""
    properties: tuple[Property, ...] = ()
    zone: str = ""
    """IANA zone of times that name none; empty: that of the organization."""
    order: str = ""
    """dmy or mdy for dates that do not begin with the year."""

    def check(self, columns: Sequence[str]) -> None:
        """UnfitMapping if a column does not exist, or name or time is missing, or two properties share a name."""
        if not self.name:
            raise UnfitMapping("name_not_mapped", columns=columns)
        if not self.time:
            raise UnfitMapping("time_not_mapped", columns=columns)
        for column in self.columns():
            if column not in columns:
                raise UnfitMapping("unknown_column", column=column, columns=columns)
        names = [prop.name for prop in self.properties]
        for prop in self.properties:
            if not prop.name.strip() or names.count(prop.name) > 1:
                raise UnfitMapping(
                    "property_twice" if prop.name.strip() else "property_without_name", column=prop.column
                )
            if prop.type not in TYPES:
                raise UnfitMapping("unknown_type", column=prop.column)
        if self.person_is not in PERSON_IS or self.order not in ORDERS:
            raise UnfitMapping("unknown_type", column=self.person or self.time)

    def columns(self) -> tuple[str, ...]:
        """Every column the mapping uses."""
        single = (self.person, self.person_name, self.object, self.company)
        used = (*self.name, self.time, *single, *(prop.column for prop in self.properties))
        return tuple(column for column in used if column)

    def as_json(self) -> dict[str, Any]:
        """As it is kept in the database."""
        found: dict[str, Any] = orjson.loads(orjson.dumps(asdict(self)))
        return found

    @staticmethod
    def from_json(kept: Dict[str, Any]) -> Mapping:
        """The mapping that was kept."""
        fields = dict(kept)
        fields["name"] = tuple(fields["name"])
        fields["properties"] = tuple(Property(**prop) for prop in fields.get("properties", ()))
        return Mapping(**fields)


def header_hash(columns: Sequence[str]) -> str:
    """By what a mapping is remembered: the names of the columns in their order."""
    return hashlib.sha256(orjson.dumps(list(columns))).hexdigest()
