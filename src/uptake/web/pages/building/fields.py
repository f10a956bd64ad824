"""Fields of the builder: a part of the rulebook file as rows of inputs, and the inputs as that part again.

The name of an input is the place of its key in the file (`cap.0.limit`), so a refusal is shown where its key stands.
What cannot be read stays in the plain object as it was typed: the reader of rulebooks refuses it, and nothing is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from uptake.programme.conditions.compare import OPERATORS, ORDER, PRESENCE, TEXT

Plain = dict[str, Any]
Choice = tuple[str, str]

NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,9})?")
FACT, PERSON, HISTORY, OTHER = "fact", "person", "history", "json"


@dataclass
class Input:
    """One input as it is drawn."""

    name: str
    label: str
    kind: str = "text"
    """text, number, date, time, select, many, check, area, hidden."""
    value: Any = ""
    choices: Sequence[Choice] = ()
    hint: str = ""
    reload: bool = False
    """Whether other inputs depend on it."""
    wide: bool = False
    errors: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return "f-" + re.sub(r"[^A-Za-z0-9_-]", "-", self.name)

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        """(value, label, chosen); of several the chosen ones come first, in their order, which a form keeps."""
        labels = dict(self.choices)
        if self.kind != "many":
            value = str(self.value)
            missing = [(value, value)] if value and value not in labels else []
            return [(key, label, key == value) for key, label in (*self.choices, *missing)]
        chosen = [str(one) for one in self.value]
        rest = [(key, label, False) for key, label in self.choices if key not in chosen]
        return [*((key, labels.get(key, key), True) for key in chosen), *rest]


@dataclass
class Block:
    """A heading with rows of inputs."""

    title: str
    rows: list[list[Input]]
    hint: str = ""
    open: bool = True

    @property
    def wrong(self) -> bool:
        return any(one.errors for row in self.rows for one in row)


class Given:
    """What came in with a form."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def text(self, name: str) -> str:
        return str(self.values.get(name, "")).strip()

    def many(self, name: str) -> list[str]:
        return [one for one in self.values.getlist(name) if one]

    def checked(self, name: str) -> bool:
        return bool(self.values.get(name))

    def number(self, name: str) -> Any:
        """The exact number, or what was typed."""
        return number_or_text(self.text(name))

    def count(self, prefix: str, key: str) -> int:
        """How many rows there are under a prefix, by a key each of them has."""
        found = 0
        while f"{prefix}.{found}.{key}" in self.values:
            found += 1
        return found


def number_or_text(typed: str) -> Any:
    if NUMBER.fullmatch(typed):
        return int(typed) if "." not in typed else Decimal(typed)
    return typed


def put(plain: Plain, key: str, value: Any, default: Any = "") -> None:
    """Sets a key that is not as it is by itself."""
    if value not in ("", default):
        plain[key] = value


def nearest(blocks: Iterable[Block], path: str) -> Input | None:
    """The input of a key of the rulebook, else what is typed for it, else that of what it lies in; None: none is."""
    place = re.sub(r"\[(\d+)\]", r".\1", path).lstrip(".")
    place = re.sub(r"((?:cap|all)\.\d+)\.(points|times)$", r"\1.limit", place)
    inputs = [one for block in blocks for row in block.rows for one in row]
    while place:
        exact = [one for one in inputs if one.name == place]
        under = [one for one in inputs if one.name.startswith(f"{place}.")]
        if found := exact or [one for one in under if one.kind != "select"] or under:
            return found[0]
        place = place.rpartition(".")[0]
    return None


# Limits


def cap_rows(prefix: str, caps: Sequence[Mapping[str, Any]]) -> list[list[Input]]:
    """A row for each limit and an empty one."""
    rows = []
    for index, cap in enumerate([*caps, {}]):
        name = f"{prefix}.{index}"
        unit = "times" if "times" in cap else "points"
        rows.append(
            [
                Input(f"{name}.limit", _("At most"), "number", cap.get(unit, "")),
                Input(f"{name}.unit", _("Of"), "select", unit, [("points", _("points")), ("times", _("times"))]),
                Input(f"{name}.every", _("In each"), "select", cap.get("every", "day"), every_choices()),
                Input(f"{name}.role", _("Only for the role"), value=cap.get("role", "")),
                Input(f"{name}.from", _("From"), "date", cap.get("from", "")),
                Input(f"{name}.until", _("Until (not included)"), "date", cap.get("until", "")),
            ]
        )
    return rows


def every_choices() -> list[Choice]:
    return [("day", _("day")), ("week", _("week")), ("month", _("month")), ("ever", _("all time"))]


def read_caps(given: Given, prefix: str) -> list[Plain]:
    found = []
    for index in range(given.count(prefix, "limit")):
        name = f"{prefix}.{index}"
        limit = given.number(f"{name}.limit")
        if limit == "":
            continue
        cap: Plain = {given.text(f"{name}.unit") or "points": limit, "every": given.text(f"{name}.every")}
        for key in ("role", "from", "until"):
            put(cap, key, given.text(f"{name}.{key}"))
        found.append(cap)
    return found


# Conditions


@dataclass(frozen=True)
class Known:
    """What the catalogue knows: events, and the facts of the chosen ones with their types."""

    events: Sequence[Choice]
    facts: Mapping[str, tuple[str, str]]
    """name → (label, type)."""
    levels: Sequence[str] = ()
    rules: Sequence[Choice] = ()


def condition_rows(prefix: str, conditions: Sequence[Mapping[str, Any]], known: Known) -> list[list[Input]]:
    """A row for each condition and an empty one."""
    return [_condition_row(f"{prefix}.{index}", one, known) for index, one in enumerate([*conditions, {}])]


def _condition_row(name: str, one: Mapping[str, Any], known: Known) -> list[Input]:
    what = _what(one)
    row = [Input(f"{name}.what", _("Asks for"), "select", what, _what_choices(known, what), reload=True)]
    if not what:
        return row
    if what == OTHER:
        typed = one.get(OTHER)
        text = typed if isinstance(typed, str) else json.dumps(_jsonable(one), ensure_ascii=False)
        return [*row, Input(f"{name}.json", _("As in the file (JSON)"), "area", text, wide=True)]
    kind, _colon, asked = what.partition(":")
    sort = _sort(kind, asked, known)
    op = one.get("op", "eq")
    row.append(Input(f"{name}.op", _("How"), "select", op, _op_choices(sort, op), reload=True))
    if op not in PRESENCE:
        row.append(_value_input(name, one.get("value", ""), sort, asked, known))
    if kind == HISTORY:
        row += [
            Input(f"{name}.within", _("Within days"), "number", one.get("within_days", ""), hint=_("empty: ever")),
            Input(
                f"{name}.of",
                _("Of these events"),
                value=", ".join(_texts(one.get("of", ()))),
                hint=_("empty: those of the rule"),
            ),
            Input(f"{name}.same", _("Of the same object"), "check", one.get("same") == "object"),
        ]
    return row


def _what(one: Mapping[str, Any]) -> str:
    if not one:
        return ""
    if OTHER in one or "where" in one:
        return OTHER
    for kind in (FACT, PERSON, HISTORY):
        if isinstance(one.get(kind), str):
            return f"{kind}:{one[kind]}"
    return OTHER


def _what_choices(known: Known, what: str) -> list[Choice]:
    found = [("", _("— no condition"))]
    found += [(f"fact:{name}", label) for name, (label, _type) in known.facts.items()]
    if what.startswith("fact:") and what.partition(":")[2] not in known.facts:
        found.append((what, what.partition(":")[2]))
    found += [
        ("person:department", _("the person's department")),
        ("person:role", _("the person's role")),
        ("person:tenure_days", _("days since joining")),
    ]
    if known.levels:
        found.append(("person:level", _("the person's level")))
    found += [
        ("history:first", _("for the first time")),
        ("history:count", _("how often before")),
        ("history:days_since", _("days since the last time")),
        (OTHER, _("something rare, as JSON")),
    ]
    return found


def _sort(kind: str, asked: str, known: Known) -> str:
    """text, number, boolean, date or any: which operators fit."""
    if kind == FACT:
        return known.facts.get(asked, ("", "any"))[1] or "any"
    if kind == HISTORY:
        return "boolean" if asked == "first" else "count"
    return {"tenure_days": "number", "level": "level"}.get(asked, "text")


def operator_words() -> dict[str, str]:
    return {
        "eq": _("is"),
        "ne": _("is not"),
        "gt": _("is more than"),
        "gte": _("is at least"),
        "lt": _("is less than"),
        "lte": _("is at most"),
        "contains": _("contains"),
        "not_contains": _("does not contain"),
        "is_set": _("is given"),
        "is_not_set": _("is not given"),
    }


def _op_choices(sort: str, op: str) -> list[Choice]:
    left_out = {
        "text": set(ORDER),
        "date": set(ORDER),
        "number": set(TEXT),
        "level": set(TEXT),
        "boolean": {*ORDER, *TEXT},
        "count": {*TEXT, *PRESENCE},
    }.get(sort, set())
    words = operator_words()
    return [(one, words[one]) for one in OPERATORS if one not in left_out or one == op]


def _value_input(name: str, value: Any, sort: str, asked: str, known: Known) -> Input:
    if sort == "boolean":
        chosen = "false" if value is False or value == "false" else "true"
        return Input(f"{name}.value", _("Value"), "select", chosen, [("true", _("yes")), ("false", _("no"))])
    if sort == "level" and not isinstance(value, list | tuple):
        return Input(f"{name}.value", _("Value"), "select", value, [(one, one) for one in known.levels])
    shown = ", ".join(_value_text(one) for one in value) if isinstance(value, list | tuple) else _value_text(value)
    hint = _("several: with commas") if sort in ("text", "any", "number") else ""
    return Input(f"{name}.value", _("Value"), value=shown, hint=hint)


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def read_conditions(given: Given, prefix: str, known: Known) -> list[Plain]:
    found = []
    for index in range(given.count(prefix, "what")):
        name = f"{prefix}.{index}"
        what = given.text(f"{name}.what")
        if not what:
            continue
        found.append(_read_condition(given, name, what, known))
    return found


def _read_condition(given: Given, name: str, what: str, known: Known) -> Plain:
    if what == OTHER:
        typed = given.text(f"{name}.json") or "{}"
        try:
            told = json.loads(typed, parse_float=Decimal)
        except json.JSONDecodeError:
            return {OTHER: typed}
        return told if isinstance(told, dict) and told else {OTHER: typed}
    kind, _colon, asked = what.partition(":")
    op = given.text(f"{name}.op") or "eq"
    sort = _sort(kind, asked, known)
    if op not in {one for one, _words in _op_choices(sort, "")}:
        op = "eq"
    one: Plain = {kind: asked, "op": op}
    if op not in PRESENCE:
        one["value"] = _read_value(given.text(f"{name}.value"), sort, op)
    if kind == HISTORY:
        put(one, "within_days", given.number(f"{name}.within"))
        of = [part.strip() for part in given.text(f"{name}.of").split(",") if part.strip()]
        put(one, "of", of, [])
        if given.checked(f"{name}.same"):
            one["same"] = "object"
    return one


def _read_value(typed: str, sort: str, op: str) -> Any:
    if sort == "boolean":
        return typed != "false"
    if op in ORDER or sort == "count":
        return number_or_text(typed)
    if op in TEXT:
        return typed
    parts = [part.strip() for part in typed.split(",") if part.strip()] if "," in typed else [typed]
    told = [_scalar(part, sort) for part in parts]
    return told if len(told) > 1 else told[0]


def _scalar(typed: str, sort: str) -> Any:
    if sort == "number":
        return number_or_text(typed)
    if sort == "any":
        if typed in ("true", "false"):
            return typed == "true"
        return number_or_text(typed)
    return typed


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value]


def _jsonable(value: Any) -> Any:
    """The same with numbers JSON can write; a decimal as the number it prints as."""
    if isinstance(value, Mapping):
        return {key: _jsonable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


texts = _texts
jsonable = _jsonable
