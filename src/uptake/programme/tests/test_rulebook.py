"""The rulebook file is read exactly, written back the same, and refused by the place of what is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.programme.conditions.compare import OPERATORS, ORDER, PRESENCE, TEXT
from uptake.programme.rulebook import Cap, PointsPer
from uptake.programme.rulebook_reading import parse_rulebook, read_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.rulebook_writing import hash_of, to_file, to_text
from uptake.programme.templates.list import HERE, TEMPLATES

RULE: dict[str, Any] = {"rule": "a", "version": 1, "from": "2026-01-01", "on": "x", "points": 1}


def book(**changed: Any) -> dict[str, Any]:
    return {"rules": [{**RULE, **changed}]}


def without(key: str) -> dict[str, Any]:
    return {"rules": [{name: value for name, value in RULE.items() if name != key}]}


def when(**condition: Any) -> dict[str, Any]:
    return book(when=[condition])


def cap(**one: Any) -> dict[str, Any]:
    return book(cap=[one])


STEP = {"at_least": 1, "points": 2}
GROUP: dict[str, Any] = {"group": "g", "rules": [], "cap": []}
WRONG: list[tuple[Any, str]] = [
    ([], ""),
    ({"rule": []}, "rule"),
    ({"rules": {}}, "rules"),
    ({"rules": [3]}, "rules[0]"),
    ({"programme": {"timezone": "Mars/Olympus"}}, "programme.timezone"),
    ({"programme": {"timezone": 8}}, "programme.timezone"),
    ({"programme": {"day_start": "24:00"}}, "programme.day_start"),
    ({"programme": {"day_start": "4:00"}}, "programme.day_start"),
    ({"programme": {"week_start": "Monday"}}, "programme.week_start"),
    ({"programme": {"lateness_days": -1}}, "programme.lateness_days"),
    ({"programme": {"lateness_days": True}}, "programme.lateness_days"),
    ({"programme": {"lateness_days": Decimal("1.5")}}, "programme.lateness_days"),
    ({"programme": {"rest_days": "sunday"}}, "programme.rest_days"),
    ({"programme": {"rest_days": ["sun"]}}, "programme.rest_days[0]"),
    ({"programme": {"holidays": ["2026-02-30"]}}, "programme.holidays[0]"),
    ({"programme": {"expires": "soon"}}, "programme.expires"),
    ({"programme": {"zone": "UTC"}}, "programme.zone"),
    *[(without(key), f"rules[0].{key}") for key in RULE],
    (book(rule=""), "rules[0].rule"),
    (book(rule="a" * 101), "rules[0].rule"),
    (book(version="1"), "rules[0].version"),
    (book(version=0), "rules[0].version"),
    (book(**{"from": "2026-1-1"}), "rules[0].from"),
    (book(until="2026-01-01"), "rules[0].until"),
    (book(on=[]), "rules[0].on"),
    (book(on=["x", "x"]), "rules[0].on"),
    (book(on=["x", 1]), "rules[0].on[1]"),
    (book(points=-1), "rules[0].points"),
    (book(points="5"), "rules[0].points"),
    (book(points=True), "rules[0].points"),
    (book(points=Decimal("1.5")), "rules[0].points"),
    (book(points={}), "rules[0].points.per"),
    (book(points={"per": "n", "each": 0}), "rules[0].points.each"),
    (book(points={"per": "n", "each": 0.5}), "rules[0].points.each"),
    (book(points={"per": "n", "points": -2}), "rules[0].points.points"),
    (book(points={"per": "n", "whole_units": 1}), "rules[0].points.whole_units"),
    (book(points={"per": "n", "min": 5, "max": 4}), "rules[0].points.max"),
    (book(points={"per": "n", "step": 4}), "rules[0].points.step"),
    (book(title=5), "rules[0].title"),
    (book(wen=[]), "rules[0].wen"),
    (cap(points=5), "rules[0].cap[0].every"),
    (cap(every="day"), "rules[0].cap[0]"),
    (cap(points=5, times=5, every="day"), "rules[0].cap[0]"),
    (cap(points=-1, every="day"), "rules[0].cap[0].points"),
    (cap(times=Decimal("0.5"), every="day"), "rules[0].cap[0].times"),
    (cap(points=5, every="year"), "rules[0].cap[0].every"),
    (cap(points=5, every="day", role=""), "rules[0].cap[0].role"),
    (cap(**{"points": 5, "every": "day", "from": "2026-02-01", "until": "2026-01-01"}), "rules[0].cap[0].until"),
    (book(cap={"points": 5, "every": "day"}), "rules[0].cap"),
    (when(value=1), "rules[0].when[0].fact"),
    (when(fact="n", person="role", value=1), "rules[0].when[0].fact"),
    (when(fact="n"), "rules[0].when[0].value"),
    (when(fact="n", op="is", value=1), "rules[0].when[0].op"),
    (when(fact="n", value=None), "rules[0].when[0].value"),
    (when(fact="n", value=[]), "rules[0].when[0].value"),
    (when(fact="n", value=[1, {}]), "rules[0].when[0].value[1]"),
    (when(fact="n", op="gt", value="5"), "rules[0].when[0].value"),
    (when(fact="n", op="gt", value=True), "rules[0].when[0].value"),
    (when(fact="n", op="contains", value=5), "rules[0].when[0].value"),
    (when(fact="n", op="is_set", value=5), "rules[0].when[0].value"),
    (when(person="age", value=5), "rules[0].when[0].person"),
    (when(person="role", op="gt", value=5), "rules[0].when[0].op"),
    (when(person="tenure_days", op="contains", value="5"), "rules[0].when[0].op"),
    ({"rules": [RULE, RULE]}, "rules[1].version"),
    (book(points={"per": "n", "steps": []}), "rules[0].points.steps"),
    (book(points={"per": "n", "steps": [STEP, STEP]}), "rules[0].points.steps[1].at_least"),
    (book(points={"per": "n", "steps": [{"at_least": 1, "points": -1}]}), "rules[0].points.steps[0].points"),
    (book(points={"per": "n", "steps": [STEP], "each": 2}), "rules[0].points.each"),
    (book(points={"per": "n", "steps": [STEP], "min": 2, "max": 1}), "rules[0].points.max"),
    (book(available_after_days=-1), "rules[0].available_after_days"),
    (book(expires={"days": 30, "end_of": "year"}), "rules[0].expires"),
    (book(expires={"end_of": "week"}), "rules[0].expires.end_of"),
    (book(expires={"hours": 1}), "rules[0].expires.hours"),
    ({"programme": {"expires": {}}}, "programme.expires"),
    ({"programme": {"fiscal_year_start": 13}}, "programme.fiscal_year_start"),
    (book(cooldown_seconds=-5), "rules[0].cooldown_seconds"),
    (when(history="last", value=True), "rules[0].when[0].history"),
    (when(history="first", op="gt"), "rules[0].when[0].op"),
    (when(history="first", value=1), "rules[0].when[0].value"),
    (when(history="count"), "rules[0].when[0].value"),
    (when(history="count", value="5"), "rules[0].when[0].value"),
    (when(history="count", value=5, within_days=0), "rules[0].when[0].within_days"),
    (when(history="count", value=5, same="lines"), "rules[0].when[0].same"),
    (when(history="count", value=5, where=[{"person": "role"}]), "rules[0].when[0].where[0].fact"),
    ({"groups": [{"group": "g", "rules": ["b"], "cap": []}], "rules": [RULE]}, "groups[0].rules[0]"),
    ({"groups": [{"group": "g", "rules": []}]}, "groups[0].cap"),
    ({"groups": [GROUP, GROUP]}, "groups[1].group"),
    ({"person_cap": [{"points": 5}]}, "person_cap[0].every"),
    ({"multipliers": [{"multiplier": "m", "factor": Decimal("0.9")}]}, "multipliers[0].factor"),
    ({"multipliers": [{"multiplier": "m", "factor": 2, "when": [{}]}]}, "multipliers[0].when[0].fact"),
    (
        {"multipliers": [{"multiplier": "m", "factor": 2, "from": "2026-02-01", "until": "2026-02-01"}]},
        "multipliers[0].until",
    ),
]


@pytest.mark.parametrize(("plain", "path"), WRONG, ids=[path or "file" for _, path in WRONG])
def test_what_is_wrong_is_refused_by_its_place(plain: Any, path: str) -> None:
    with pytest.raises(RulebookRefused) as refused:
        parse_rulebook(plain)

    assert refused.value.path == path


@pytest.mark.parametrize(
    "text",
    [
        '{"rules": [}',
        "rules: [",
        '{"rules": [], "rules": []}',
        "rules: []\nrules: []",
        '{"programme": {"lateness_days": NaN}}',
        "just words",
        b"\xff\xfe",
        "!!python/object/apply:os.system [ls]",
    ],
)
def test_text_that_is_no_rulebook_is_refused(text: str | bytes) -> None:
    with pytest.raises(RulebookRefused):
        read_rulebook(text)


def test_json_and_yaml_say_the_same_exactly() -> None:
    yaml = """
    programme: {timezone: Asia/Shanghai, day_start: 04:00, holidays: [2026-10-01]}
    rules:
      - rule: a
        version: 1
        from: 2026-01-01
        on: order.processed
        points: {per: amount, each: 0.1, max: 2.50}
        when: [{fact: paid, value: true}, {fact: answer, value: "no"}, {fact: grade, value: yes}]
        cap: [{times: 3, every: day}]
    """
    json = (
        '{"programme": {"timezone": "Asia/Shanghai", "day_start": "04:00", "holidays": ["2026-10-01"]}, "rules": '
        '[{"rule": "a", "version": 1.0, "from": "2026-01-01", "on": ["order.processed"], "points": {"per": "amount", '
        '"each": 0.1, "max": 2.5}, "when": [{"fact": "paid", "value": true}, {"fact": "answer", "value": "no"}, '
        '{"fact": "grade", "value": "yes"}], "cap": [{"times": 3, "every": "day"}]}]}'
    )

    first, second = read_rulebook(yaml), read_rulebook(json)

    assert first == second
    assert hash_of(first) == hash_of(second)
    assert first.rules[0].points == PointsPer("amount", each=Decimal("0.1"), max=Decimal("2.5"))
    assert first.rules[0].cap == (Cap(3, times=True),)


def test_number_and_text_of_a_condition_give_different_hashes() -> None:
    hashes = {hash_of(parse_rulebook(when(fact="n", value=value))) for value in (5, "5", True, "true", ["5"])}

    assert len(hashes) == 5


numbers = st.integers(1, 10**9) | st.decimals("0.001", "1000000", places=3, allow_nan=False)
scalars = st.text(min_size=1, max_size=8).filter(str.strip) | st.booleans() | numbers
names = st.text("abcdefg. ", min_size=1, max_size=12).filter(str.strip)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    op = draw(st.sampled_from(OPERATORS))
    plain: dict[str, Any] = {"fact": draw(names), "op": op}
    if op in ORDER:
        plain["value"] = draw(numbers)
    elif op in TEXT:
        plain["value"] = draw(names)
    elif op not in PRESENCE:
        plain["value"] = draw(scalars | st.lists(scalars, min_size=1, max_size=3))
    return plain


@st.composite
def rules(draw: st.DrawFn, version: int) -> dict[str, Any]:
    per = st.fixed_dictionaries(
        {"per": names}, optional={"each": numbers, "points": numbers, "whole_units": st.booleans(), "max": numbers}
    )
    dates = st.dates().map(lambda day: day.isoformat())
    limit = st.fixed_dictionaries(
        {"points": st.integers(0, 1000), "every": st.just("day")}, optional={"role": names, "from": dates}
    )
    return {
        "rule": draw(names),
        "version": version,
        "from": draw(dates),
        "on": draw(names | st.lists(names, min_size=1, max_size=3, unique=True)),
        "points": draw(st.integers(0, 100) | per),
        "when": draw(st.lists(conditions(), max_size=3)),
        "cap": draw(st.lists(limit, max_size=2)),
        "title": draw(st.text(max_size=8)),
    }


@given(st.data())
def test_rulebook_written_and_read_is_the_same(data: st.DataObject) -> None:
    plain = {"rules": [data.draw(rules(version)) for version in range(1, data.draw(st.integers(1, 4)))]}

    rulebook = parse_rulebook(plain)

    assert parse_rulebook(to_file(rulebook)) == rulebook
    assert read_rulebook(to_text(rulebook)) == rulebook


def test_every_template_is_listed_and_readable() -> None:
    files = {file.stem for file in HERE.glob("*.json")}
    slugs = {template.slug for template in TEMPLATES}
    assert files == slugs | {f"{slug}.zh" for slug in slugs}
    for template in TEMPLATES:
        rulebook = read_rulebook(template.text)
        assert all(rule.title and rule.cap for rule in rulebook.rules)
