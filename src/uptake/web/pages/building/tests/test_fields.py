"""Every key of a rulebook can be edited in a form, and a form that is sent back unchanged changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from django.http import QueryDict

from uptake.programme.rulebook_reading import load_text, parse_rulebook
from uptake.programme.rulebook_writing import to_file, to_text
from uptake.programme.templates.list import TEMPLATES
from uptake.web.pages.building.fields import Block, Given, Known, nearest
from uptake.web.pages.building.place import rules_of
from uptake.web.pages.building.sections import SECTIONS, example_blocks, read_examples, read_rule, rule_blocks

pytestmark = pytest.mark.once

RULE: dict[str, Any] = {
    "rule": "counts", "version": 3, "from": "2026-01-01", "until": "2027-01-01", "title": "Counting",
    "on": ["stock.counted", "stock.moved"],
    "when": [
        {"fact": "lines", "op": "gte", "value": 5},
        {"fact": "kind", "op": "ne", "value": ["test", "trial"]},
        {"fact": "urgent", "op": "eq", "value": True},
        {"fact": "note", "op": "is_set"},
        {"fact": "note", "op": "contains", "value": "a, b"},
        {"person": "role", "op": "eq", "value": "clerk"},
        {"person": "tenure_days", "op": "lt", "value": 90},
        {"history": "first", "op": "eq", "value": True},
        {"history": "count", "op": "lt", "value": 3, "within_days": 7, "same": "object", "of": ["stock.moved"]},
        {"history": "count", "op": "lt", "value": 3, "where": [{"fact": "lines", "op": "gt", "value": 2}]},
    ],
    "points": {"per": "lines", "each": 2, "points": 1.5, "whole_units": True, "min": 1, "max": 20},
    "cap": [{"points": 50, "every": "day", "role": "clerk"}, {"times": 9, "every": "week", "from": "2026-02-01",
            "until": "2026-03-01"}],
    "cooldown_seconds": 60, "available_after_days": 7, "expires": {"end_of": "year"},
    "streak": {"every": "day", "length": 5, "freezes_per_month": 1, "working_days": False},
}  # fmt: skip
WHOLE: dict[str, Any] = {
    "programme": {
        "timezone": "Asia/Shanghai", "day_start": "04:00", "week_start": "sunday", "lateness_days": 3,
        "rest_days": ["sunday"], "holidays": ["2026-10-01", "2026-10-02"], "work_days": ["2026-10-04"],
        "expires": {"days": 90}, "fiscal_year_start": 4, "redemption_timeout_days": 5,
        "season_ends": ["2026-07-01"], "levels_from": "season", "stacking": {"at_most": 2.5},
    },
    "rules": [RULE, {"rule": "fixed", "version": 1, "from": "2026-01-01", "on": "a.b", "points": 3,
                     "expires": {"inactive_days": 30}},
              {"rule": "steps", "version": 1, "from": "2026-01-01", "on": "a.b", "expires": "never", "points": {
                  "per": "lines", "steps": [{"at_least": 1, "points": 2}, {"at_least": 10, "points": 2.5}]}}],
    "groups": [{"group": "both", "rules": ["counts", "fixed"], "cap": [{"points": 80, "every": "month"}]}],
    "person_cap": [{"points": 500, "every": "ever"}, {"times": 4, "every": "day"}],
    "multipliers": [{"multiplier": "Spring", "factor": 1.5, "from": "2026-03-01", "until": "2026-04-01",
                     "on": ["stock.counted"], "when": [{"person": "level", "op": "gte", "value": "Silver"}]}],
    "reversals": [{"event": "stock.cancelled", "undoes": ["stock.counted"], "same": "slip", "fraction": "part"}],
    "levels": [{"name": "Bronze", "at": 0}, {"name": "Silver", "at": 100}],
}  # fmt: skip
FACTS = {"lines": ("Lines", "number"), "kind": ("Kind", "text"), "urgent": ("Urgent", "boolean"), "note": ("", "text")}
EVENTS = [(name, name) for name in ("stock.counted", "stock.moved", "stock.cancelled", "a.b")]


def plain(book: Any) -> Any:
    return load_text(json.dumps(book))


def known() -> Known:
    return Known(EVENTS, FACTS, ["Bronze", "Silver"], rules_of(WHOLE))


def sent(blocks: Iterable[Block]) -> Given:
    """What a browser sends of these inputs."""
    found = QueryDict(mutable=True)
    for block in blocks:
        for row in block.rows:
            for one in row:
                if one.kind == "check":
                    if one.value:
                        found[one.name] = "1"
                elif one.kind == "many":
                    found.setlist(one.name, [value for value, _label, chosen in one.options if chosen])
                elif one.kind == "select":
                    chosen = [value for value, _label, chosen in one.options if chosen]
                    found[one.name] = chosen[0] if chosen else (one.options[0][0] if one.options else "")
                else:
                    found[one.name] = str(one.value)
    return Given(found)


@pytest.mark.parametrize("index", range(len(WHOLE["rules"])))
def test_rule_comes_back_from_its_form_as_it_was(index: int) -> None:
    book = plain(WHOLE)
    old = book["rules"][index]

    book["rules"][index] = {**read_rule(sent(rule_blocks(old, known())), known()), "version": old["version"]}

    assert to_text(parse_rulebook(book)) == to_text(parse_rulebook(plain(WHOLE)))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.slug)
def test_rules_of_templates_come_back_as_they_were(template: Any) -> None:
    book = to_file(parse_rulebook(template.rulebook))
    none = Known([], {})

    book["rules"] = [
        {**read_rule(sent(rule_blocks(one, none)), none), "version": one["version"]} for one in book["rules"]
    ]

    assert to_text(parse_rulebook(book)) == to_text(parse_rulebook(template.rulebook))


@pytest.mark.parametrize("section", SECTIONS, ids=lambda one: one.key)
def test_other_parts_come_back_as_they_were(section: Any) -> None:
    book = plain(WHOLE)

    book[section.key] = section.read(sent(section.blocks(book[section.key], known())), known())

    assert to_text(parse_rulebook(book)) == to_text(parse_rulebook(plain(WHOLE)))


@pytest.mark.parametrize("section", SECTIONS, ids=lambda one: one.key)
def test_empty_parts_come_back_empty(section: Any) -> None:
    nothing: Any = {} if section.key == "programme" else []
    book = {"rules": WHOLE["rules"], "levels": WHOLE["levels"]}

    told = section.read(sent(section.blocks(nothing, known())), known())

    assert to_text(parse_rulebook(plain({**book, section.key: told}))) == to_text(
        parse_rulebook(plain({**book, section.key: nothing}))
    )


def test_what_cannot_be_read_stays_as_it_was_typed_and_is_marked_there() -> None:
    blocks = rule_blocks({**RULE, "points": "five", "cap": [{"points": "many", "every": "day"}]}, known())

    told = read_rule(sent(blocks), known())

    assert (told["points"], told["cap"][0]["points"]) == ("five", "many")
    found = [nearest(blocks, path) for path in (".cap[0].points", "points", "cap[0].every.not", "nothing")]
    assert [one and one.name for one in found] == ["cap.0.limit", "points.fixed", "cap.0.every", None]


def test_examples_come_back_as_they_were() -> None:
    examples = [{"event": "a.b", "facts": {"lines": 12, "kind": "sale", "urgent": True}, "points": 3, "role": "clerk"}]

    assert read_examples(sent(example_blocks(examples, known()))) == examples
