"""The parts of a rulebook as the builder shows them: a rule, the programme's clock, limits, multipliers, levels …"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from uptake.programme.periods import WEEKDAYS
from uptake.web.pages.building.fields import (
    Block,
    Choice,
    Given,
    Input,
    Known,
    Plain,
    cap_rows,
    condition_rows,
    number_or_text,
    put,
    read_caps,
    read_conditions,
    texts,
)

FIXED, PER, STEPS = "fixed", "per", "steps"


# One rule


def rule_blocks(rule: Mapping[str, Any], known: Known) -> list[Block]:
    """All keys of a rule as inputs."""
    return [
        Block(
            _("What is paid for"),
            [
                [Input("title", _("Title"), value=rule.get("title", ""), wide=True)],
                [
                    Input(
                        "rule", _("Short name"), value=rule.get("rule", ""), hint=_("stays the same in all versions")
                    ),
                    Input("from", _("First date"), "date", rule.get("from", "")),
                    Input("until", _("Until (not included)"), "date", rule.get("until", "")),
                ],
                [
                    Input(
                        "on",
                        _("Events"),
                        "many",
                        texts(rule.get("on", ())),
                        known.events,
                        reload=True,
                        wide=True,
                        hint=_("Hold Ctrl to choose several."),
                    )
                ],
            ],
        ),
        Block(_("Only if"), condition_rows("when", rule.get("when", ()), known), hint=_("All of them must hold.")),
        Block(_("Points"), _points_rows(rule.get("points", 1), known)),
        Block(_("Limits"), cap_rows("cap", rule.get("cap", ())), hint=_("All that fit hold at once.")),
        Block(_("Times"), _time_rows(rule), open=_has(rule, "cooldown_seconds", "available_after_days", "expires")),
        Block(_("Streak"), [_streak_row(rule.get("streak"))], open="streak" in rule),
    ]


def _has(rule: Mapping[str, Any], *keys: str) -> bool:
    return any(key in rule for key in keys)


def _points_rows(points: Any, known: Known) -> list[list[Input]]:
    kind = FIXED if not isinstance(points, Mapping) else STEPS if "steps" in points else PER
    choices = [(FIXED, _("the same each time")), (PER, _("per unit of a number")), (STEPS, _("by steps of a number"))]
    first = [Input("points.kind", _("Points are"), "select", kind, choices, reload=True)]
    if kind == FIXED:
        return [[*first, Input("points.fixed", _("Points"), "number", points)]]
    facts = [(name, label) for name, (label, sort) in known.facts.items() if sort in ("number", "any", "")]
    first.append(Input("points.per", _("Number"), "select", points.get("per", ""), facts))
    rows = [first]
    if kind == PER:
        rows.append(
            [
                Input("points.points", _("Points"), "number", points.get("points", 1)),
                Input("points.each", pgettext("of a number", "For each"), "number", points.get("each", 1)),
                Input("points.whole_units", _("Only whole units"), "check", bool(points.get("whole_units"))),
            ]
        )
    else:
        rows += [
            [
                Input(f"points.steps.{index}.at_least", _("From"), "number", step.get("at_least", "")),
                Input(f"points.steps.{index}.points", _("Points"), "number", step.get("points", "")),
            ]
            for index, step in enumerate([*points.get("steps", ()), {}])
        ]
    limits = [Input(f"points.{key}", label, "number", points.get(key, "")) for key, label in
              (("min", _("At least each time")), ("max", _("At most each time")))]  # fmt: skip
    return [*rows, limits]


def _time_rows(rule: Mapping[str, Any]) -> list[list[Input]]:
    return [
        [
            Input(
                "cooldown_seconds", _("Gap between two paid, in seconds"), "number", rule.get("cooldown_seconds", "")
            ),
            Input("available_after_days", _("Can be spent after days"), "number", rule.get("available_after_days", "")),
        ],
        expiry_inputs("expires", rule.get("expires"), own=True),
    ]


def expiry_inputs(name: str, expires: Any, *, own: bool) -> list[Input]:
    kind = "" if expires is None else "never" if expires == "never" else "days"
    if isinstance(expires, Mapping) and "end_of" in expires:
        kind = f"end_of_{expires['end_of']}"
    if isinstance(expires, Mapping) and "inactive_days" in expires:
        kind = "inactive_days"
    choices = [("", _("as the programme says"))] if own else []
    choices += [
        ("never", pgettext("of expiry", "never")),
        ("days", _("after days")),
        ("inactive_days", _("after days without any activity")),
        ("end_of_month", _("at the end of the month")),
        ("end_of_year", _("at the end of the fiscal year")),
    ]
    days = expires.get("days", expires.get("inactive_days", "")) if isinstance(expires, Mapping) else ""
    return [
        Input(f"{name}.kind", _("Points expire"), "select", kind or ("" if own else "never"), choices),
        Input(f"{name}.days", _("Days"), "number", days, hint=_("only for “after days …”")),
    ]


def read_expiry(given: Given, name: str) -> Any:
    kind = given.text(f"{name}.kind")
    if kind in ("days", "inactive_days"):
        return {kind: given.number(f"{name}.days")}
    if kind.startswith("end_of_"):
        return {"end_of": kind.removeprefix("end_of_")}
    return kind


def _streak_row(streak: Any) -> list[Input]:
    told = streak if isinstance(streak, Mapping) else {}
    every = [("", _("no streak")), ("day", _("day")), ("week", _("week"))]
    return [
        Input("streak.every", _("Paid for every"), "select", told.get("every", ""), every),
        Input("streak.length", _("How many in a row"), "number", told.get("length", "")),
        Input("streak.freezes_per_month", _("Free misses a month"), "number", told.get("freezes_per_month", "")),
        Input("streak.working_days", _("Only working days"), "check", told.get("working_days", True)),
    ]


def read_rule(given: Given, known: Known) -> Plain:
    """The rule of a form, without its version."""
    rule: Plain = {"rule": given.text("rule"), "from": given.text("from")}
    put(rule, "title", given.text("title"))
    put(rule, "until", given.text("until"))
    on = given.many("on")
    rule["on"] = on[0] if len(on) == 1 else on
    put(rule, "when", read_conditions(given, "when", known), [])
    rule["points"] = _read_points(given)
    put(rule, "cap", read_caps(given, "cap"), [])
    put(rule, "cooldown_seconds", given.number("cooldown_seconds"), 0)
    put(rule, "available_after_days", given.number("available_after_days"), 0)
    put(rule, "expires", read_expiry(given, "expires"))
    if given.text("streak.every"):
        streak: Plain = {"every": given.text("streak.every"), "length": given.number("streak.length")}
        put(streak, "freezes_per_month", given.number("streak.freezes_per_month"), 0)
        if not given.checked("streak.working_days"):
            streak["working_days"] = False
        rule["streak"] = streak
    return rule


def _read_points(given: Given) -> Any:
    kind = given.text("points.kind") or FIXED
    if kind == FIXED:
        return given.number("points.fixed") if "points.fixed" in given.values else 1
    points: Plain = {"per": given.text("points.per")}
    if kind == PER:
        put(points, "each", given.number("points.each"))
        put(points, "points", given.number("points.points"))
        if given.checked("points.whole_units"):
            points["whole_units"] = True
    else:
        steps = []
        for index in range(given.count("points.steps", "at_least")):
            at_least = given.number(f"points.steps.{index}.at_least")
            if at_least != "":
                steps.append({"at_least": at_least, "points": given.number(f"points.steps.{index}.points")})
        points["steps"] = steps
    put(points, "min", given.number("points.min"))
    put(points, "max", given.number("points.max"))
    return points


# The other parts of the file


@dataclass(frozen=True)
class Section:
    """One part of the file with a page of its own."""

    key: str
    title: Any
    hint: Any
    blocks: Callable[[Any, Known], list[Block]]
    read: Callable[[Given, Known], Any]


def _programme_blocks(told: Any, _known: Known) -> list[Block]:
    days = [("monday", _("Monday")), ("tuesday", _("Tuesday")), ("wednesday", _("Wednesday")),
            ("thursday", _("Thursday")), ("friday", _("Friday")), ("saturday", _("Saturday")),
            ("sunday", _("Sunday"))]  # fmt: skip
    dates = _("dates such as 2026-10-01, with commas")
    stacking = told.get("stacking")
    return [
        Block(
            _("Days"),
            [
                [
                    Input("timezone", _("Time zone"), value=told.get("timezone", "UTC")),
                    Input("day_start", _("A day begins at"), "time", told.get("day_start", "00:00")),
                    Input("week_start", _("A week begins on"), "select", told.get("week_start", "monday"), days),
                    Input("lateness_days", _("Days late entries count"), "number", told.get("lateness_days", 7)),
                ],
                [
                    Input("rest_days", _("Rest days"), "many", told.get("rest_days", list(WEEKDAYS[5:])), days),
                    Input("holidays", _("Holidays"), "area", ", ".join(told.get("holidays", ())), hint=dates),
                    Input(
                        "work_days",
                        _("Rest days that are worked"),
                        "area",
                        ", ".join(told.get("work_days", ())),
                        hint=dates,
                    ),
                ],
            ],
        ),
        Block(
            _("Validity of points"),
            [
                [
                    *expiry_inputs("expires", told.get("expires", "never"), own=False),
                    Input(
                        "fiscal_year_start",
                        _("First month of the fiscal year"),
                        "number",
                        told.get("fiscal_year_start", 1),
                    ),
                    Input(
                        "redemption_timeout_days",
                        _("Days a redemption may wait"),
                        "number",
                        told.get("redemption_timeout_days", 14),
                    ),
                ],
            ],
        ),
        Block(
            _("Several multipliers at once"),
            [
                [
                    Input(
                        "stacking.kind",
                        _("How they count"),
                        "select",
                        "all" if "stacking" in told else "",
                        [("", _("only the greatest")), ("all", _("all, multiplied"))],
                    ),
                    Input(
                        "stacking.at_most",
                        _("Together at most times"),
                        "number",
                        stacking.get("at_most", "") if isinstance(stacking, Mapping) else "",
                        hint=_("only for “all, multiplied”"),
                    ),
                ],
            ],
        ),
        Block(
            _("Levels and seasons"),
            [
                [
                    Input(
                        "levels_from",
                        _("Levels count"),
                        "select",
                        told.get("levels_from", "lifetime"),
                        [("lifetime", _("all points")), ("season", _("the points of the season"))],
                    ),
                    Input(
                        "season_ends",
                        _("First dates after a season"),
                        "area",
                        ", ".join(told.get("season_ends", ())),
                        hint=dates,
                    ),
                ],
            ],
        ),
    ]


def _read_programme(given: Given, _known: Known) -> Plain:
    told: Plain = {"rest_days": given.many("rest_days")}
    for key in ("timezone", "day_start", "week_start", "levels_from"):
        put(told, key, given.text(key))
    for key in ("lateness_days", "fiscal_year_start", "redemption_timeout_days"):
        put(told, key, given.number(key))
    for key in ("holidays", "work_days", "season_ends"):
        put(told, key, _listed(given.text(key)), [])
    put(told, "expires", read_expiry(given, "expires"))
    if given.text("stacking.kind"):
        told["stacking"] = {"at_most": given.number("stacking.at_most")}
    return told


def _listed(typed: str) -> list[str]:
    return [one for one in typed.replace("\n", ",").replace(" ", ",").split(",") if one]


def _group_blocks(told: Any, known: Known) -> list[Block]:
    return [
        Block(
            one.get("group") or _("A new group"),
            [
                [
                    Input(
                        f"{index}.group",
                        pgettext("of a thing", "Name"),
                        value=one.get("group", ""),
                        hint=_("empty: taken out"),
                    ),
                    Input(f"{index}.rules", _("Rules"), "many", one.get("rules", ()), known.rules),
                ],
                *cap_rows(f"{index}.cap", one.get("cap", ())),
            ],
        )
        for index, one in enumerate([*told, {}])
    ]


def _read_groups(given: Given, _known: Known) -> list[Plain]:
    return [
        {"group": name, "rules": given.many(f"{index}.rules"), "cap": read_caps(given, f"{index}.cap")}
        for index, name in _named(given, "group")
    ]


def _named(given: Given, key: str) -> list[tuple[int, str]]:
    """(place, name) of the parts that have a name."""
    found = []
    index = 0
    while f"{index}.{key}" in given.values:
        if given.text(f"{index}.{key}"):
            found.append((index, given.text(f"{index}.{key}")))
        index += 1
    return found


def _person_cap_blocks(told: Any, _known: Known) -> list[Block]:
    return [Block(_("Limits over all rules of one person"), cap_rows("all", told))]


def _read_person_cap(given: Given, _known: Known) -> list[Plain]:
    return read_caps(given, "all")


def _multiplier_blocks(told: Any, known: Known) -> list[Block]:
    return [
        Block(
            one.get("multiplier") or _("A new multiplier"),
            [
                [
                    Input(f"{index}.multiplier", pgettext("of a thing", "Name"), value=one.get("multiplier", ""),
                          hint=_("empty: taken out")),
                    Input(f"{index}.factor", _("Factor"), "number", one.get("factor", "")),
                    Input(f"{index}.from", _("From"), "date", one.get("from", "")),
                    Input(f"{index}.until", _("Until (not included)"), "date", one.get("until", "")),
                ],
                [Input(f"{index}.on", _("Only for events"), "many", texts(one.get("on", ())), known.events,
                       hint=_("none: all"), wide=True)],
                *condition_rows(f"{index}.when", one.get("when", ()), known),
            ],
        )
        for index, one in enumerate([*told, {}])
    ]  # fmt: skip


def _read_multipliers(given: Given, known: Known) -> list[Plain]:
    found = []
    for index, name in _named(given, "multiplier"):
        one: Plain = {"multiplier": name, "factor": given.number(f"{index}.factor")}
        put(one, "from", given.text(f"{index}.from"))
        put(one, "until", given.text(f"{index}.until"))
        put(one, "on", given.many(f"{index}.on"), [])
        put(one, "when", read_conditions(given, f"{index}.when", known), [])
        found.append(one)
    return found


def _reversal_blocks(told: Any, known: Known) -> list[Block]:
    events: list[Choice] = [("", "—"), *known.events]
    return [
        Block(
            one.get("event") or _("A new reversal"),
            [
                [
                    Input(f"{index}.event", _("This event"), "select", one.get("event", ""), events),
                    Input(f"{index}.undoes", _("Undoes earlier"), "many", texts(one.get("undoes", ())), known.events),
                    Input(f"{index}.same", _("With the same"), value=one.get("same", "object"),
                          hint=_("object, or the name of a fact")),
                    Input(f"{index}.fraction", _("Part, by the fact"), value=one.get("fraction", ""),
                          hint=_("empty: wholly")),
                ]
            ],
        )
        for index, one in enumerate([*told, {}])
    ]  # fmt: skip


def _read_reversals(given: Given, _known: Known) -> list[Plain]:
    found = []
    for index, name in _named(given, "event"):
        one: Plain = {"event": name, "undoes": given.many(f"{index}.undoes")}
        put(one, "same", given.text(f"{index}.same"), "object")
        put(one, "fraction", given.text(f"{index}.fraction"))
        found.append(one)
    return found


def _level_blocks(told: Any, _known: Known) -> list[Block]:
    rows = [
        [
            Input(f"{index}.name", pgettext("of a thing", "Name"), value=one.get("name", "")),
            Input(f"{index}.at", _("From points"), "number", one.get("at", "")),
        ]
        for index, one in enumerate([*told, {}, {}])
    ]
    return [Block(_("Levels"), rows, hint=_("The lowest first; a level without a name is taken out."))]


def _read_levels(given: Given, _known: Known) -> list[Plain]:
    return [{"name": name, "at": given.number(f"{index}.at")} for index, name in _named(given, "name")]


SECTIONS: Sequence[Section] = (
    Section("groups", gettext_lazy("Groups"), gettext_lazy("Limits that several rules share."), _group_blocks,
            _read_groups),
    Section("person_cap", gettext_lazy("Limits of a person"), gettext_lazy("Limits over everything a person earns."),
            _person_cap_blocks, _read_person_cap),
    Section("multipliers", gettext_lazy("Multipliers"),
            gettext_lazy("What is worth more for a while. Where several hold, the greatest counts, or all"
                         " together up to a ceiling: Times and validity."),
            _multiplier_blocks, _read_multipliers),
    Section("reversals", gettext_lazy("Reversals"),
            gettext_lazy("Which event takes back what an earlier one earned, whoever did it."), _reversal_blocks,
            _read_reversals),
    Section("levels", gettext_lazy("Levels"), gettext_lazy("Names that one reaches with points."), _level_blocks,
            _read_levels),
    Section("programme", gettext_lazy("Times and validity"),
            gettext_lazy("The clock of the rulebook, and how long points live."), _programme_blocks, _read_programme),
)  # fmt: skip


# Examples


def example_blocks(examples: Sequence[Mapping[str, Any]], known: Known) -> list[Block]:
    events: list[Choice] = [("", "—"), *known.events]
    rows = []
    for index, one in enumerate([*examples, {}]):
        name = str(index)
        rows.append(
            [
                Input(f"{name}.event", _("Event"), "select", one.get("event", ""), events),
                Input(f"{name}.facts", _("Facts"), value=_facts_text(one.get("facts", {})),
                      hint=_("such as lines=12, kind=sale")),
                Input(f"{name}.department", _("Department"), value=one.get("department", "")),
                Input(f"{name}.role", _("Role"), value=one.get("role", "")),
                Input(f"{name}.points", _("Must earn"), "number", one.get("points", "")),
            ]
        )  # fmt: skip
    return [Block(_("Example events"), rows, hint=_("Each is tried by itself, as if nothing had happened before."))]


def _facts_text(facts: Any) -> str:
    if not isinstance(facts, Mapping):
        return str(facts)
    return ", ".join(f"{name}={_fact_text(value)}" for name, value in facts.items())


def _fact_text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def read_examples(given: Given) -> list[Plain]:
    found = []
    for index, event in _named(given, "event"):
        one: Plain = {"event": event, "facts": _read_facts(given.text(f"{index}.facts"))}
        one["points"] = given.number(f"{index}.points")
        for key in ("department", "role"):
            put(one, key, given.text(f"{index}.{key}"))
        found.append(one)
    return found


def _read_facts(typed: str) -> Plain:
    facts: Plain = {}
    for part in typed.split(","):
        name, _equals, value = part.partition("=")
        if name.strip():
            said = value.strip()
            facts[name.strip()] = said == "true" if said in ("true", "false") else number_or_text(said)
    return facts
