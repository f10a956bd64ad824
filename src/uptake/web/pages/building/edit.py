"""Editing a part of a draft: a rule with its sentences, examples and quick back-test beside, or another part."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from uptake.directory.place import settings_at
from uptake.directory.scope import Deed
from uptake.directory.viewer import HIDE_BELOW
from uptake.events.models import Event
from uptake.programme.backtest.back_test import back_test
from uptake.programme.backtest.read import companies_of
from uptake.programme.backtest.replay import as_of, replay
from uptake.programme.drafting.examples import ExampleRefused, try_examples
from uptake.programme.drafting.models import Draft
from uptake.programme.drafting.save import ChangedMeanwhile, NotOpen, save_draft
from uptake.programme.evaluate import DayRules
from uptake.programme.gather import Bucket, gather, standings_of
from uptake.programme.rulebook import PointsBySteps, PointsPer, Rulebook, RuleVersion
from uptake.programme.rulebook_reading import load_text, parse_rulebook, read_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.rulebook_writing import to_file
from uptake.programme.sentences import refusal_sentence, rule_sentences
from uptake.programme.standing import UNKNOWN
from uptake.programme.streak_bounds import open_streaks, streak_sentence
from uptake.web.catalogue import labels_of
from uptake.web.clock_words import CLOCK_REFUSALS, clock_refused
from uptake.web.pages.building.fields import Block, Given, Input, Known, Plain, jsonable, nearest, texts
from uptake.web.pages.building.place import draft_for, known_of, plain_of
from uptake.web.pages.building.sections import (
    SECTIONS,
    Section,
    example_blocks,
    read_examples,
    read_rule,
    rule_blocks,
)
from uptake.web.viewing import needs, viewer_for

LANGUAGES = (("en", "English"), ("zh-hans", "中文"))
EXAMPLES = 6
LAST_DAYS = 30
QUICK_PEOPLE = 150
QUICK_EVENTS = 2500
FILE, EXAMPLES_KEY = "file", "examples"


@needs(Deed.MANAGE_RULES)
def rule(request: HttpRequest, draft_id: int, index: int) -> HttpResponseBase:
    """A rule of the draft as a form; the index behind the last is a new one."""
    draft = draft_for(request, draft_id)
    plain = plain_of(draft)
    rules: list[Plain] = list(plain.get("rules", ()))
    if index > len(rules):
        raise Http404("no such rule")
    old = rules[index] if index < len(rules) else None
    if request.method != "POST":
        shown = old or _new_rule(draft)
        blocks = rule_blocks(shown, known_of(plain, texts(shown.get("on", ()))))
        return _rule_page(request, draft, index, shown, blocks)
    if "remove" in request.POST and old is not None:
        left = [one for place, one in enumerate(rules) if place != index]
        gone = _saved(request, draft, {**plain, "rules": left}, [], _("The rule is taken out."), "")
        return gone or redirect("building:draft", draft.pk)
    given = Given(request.POST)
    told = read_rule(given, known_of(plain, given.many("on")))
    told["version"] = _version(draft, told, old)
    rules[index:] = [told, *rules[index + 1 :]]
    blocks = rule_blocks(told, known_of(plain, given.many("on")))
    done = _saved(request, draft, {**plain, "rules": rules}, blocks, _("The rule is saved."), f"rules[{index}]")
    return done or _rule_page(request, draft, index, told, blocks, status=422)


def _new_rule(draft: Draft) -> Plain:
    begin = settings_at(draft.organization).date_of(timezone.now()) + timedelta(days=1)
    return {"rule": "", "from": begin.isoformat(), "points": 5, "on": []}


def _version(draft: Draft, told: Mapping[str, Any], old: Mapping[str, Any] | None) -> int:
    """A rule that reads otherwise than the one in force has the next version."""
    base = read_rulebook(draft.base.file) if draft.base else Rulebook()
    standing = [one for one in to_file(base)["rules"] if one["rule"] == told["rule"]]
    own = int(old["version"]) if old and old["rule"] == told["rule"] else 1
    for one in standing:
        if one["version"] == own and {**one, "version": 0} != {**told, "version": 0}:
            return max(int(other["version"]) for other in standing) + 1
    return own


def _rule_page(
    request: HttpRequest, draft: Draft, index: int, shown: Plain, blocks: list[Block], status: int = 200
) -> HttpResponseBase:
    context = {
        "draft": draft,
        "index": index,
        "blocks": blocks,
        "title": shown.get("title") or shown.get("rule") or _("A new rule"),
        "is_new": index >= len(plain_of(draft).get("rules", ())),
        "seen": request.POST.get("seen", draft.saves) if status == 200 else draft.saves,
    }
    return render(request, "building/rule.html", context, status=status)


@needs(Deed.MANAGE_RULES)
def rule_fields(request: HttpRequest, draft_id: int, index: int) -> HttpResponseBase:
    """The inputs again, after one was changed that others depend on. Saves nothing."""
    draft = draft_for(request, draft_id)
    plain = plain_of(draft)
    given = Given(request.POST)
    known = known_of(plain, given.many("on"))
    blocks = rule_blocks(read_rule(given, known), known)
    return render(request, "building/blocks.html", {"blocks": blocks, "draft": draft, "index": index})


@dataclass(frozen=True)
class Shown:
    """An event of the last month and what the rule alone would give for it."""

    label: str
    day: date
    facts: str
    points: int


@needs(Deed.MANAGE_RULES)
def look(request: HttpRequest, draft_id: int, index: int) -> HttpResponseBase:
    """The rule as it stands in the form: in sentences of both languages, and events it would pay. Saves nothing."""
    draft = draft_for(request, draft_id)
    given = Given(request.POST)
    known = known_of(plain_of(draft), given.many("on"))
    begun = read_rule(given, known)
    if not (begun.get("rule") and begun.get("on")):
        return render(request, "building/look.html", {"unfinished": True, "draft": draft})
    try:
        rulebook, lineage = _candidate(request, draft, index)
    except RulebookRefused as refused:
        field = nearest(rule_blocks(begun, known), re.sub(r"^rules\[\d+\]", "", refused.path))
        refusal = refusal_sentence(refused, field.label if field else "")
        return render(request, "building/look.html", {"refusal": refusal, "draft": draft})
    version = next(one for one in rulebook.rules if one.rule == lineage)
    sentences = []
    for code, name in LANGUAGES:
        with translation.override(code):
            sentences.append((code, name, rule_sentences(version, labels_of(version.on), rulebook)))
    context = {
        "draft": draft,
        "index": index,
        "sentences": sentences,
        "streaks": [streak_sentence(one) for one in open_streaks(rulebook, _today(draft)) if one.rule == lineage],
        "shown": _shown(draft, _always(rulebook, lineage, draft), version),
        "days": LAST_DAYS,
    }
    return render(request, "building/look.html", context)


def _candidate(request: HttpRequest, draft: Draft, index: int) -> tuple[Rulebook, str]:
    """The rulebook with the rule of the form in place of all its versions; and the rule's lineage."""
    plain = plain_of(draft)
    given = Given(request.POST)
    told = read_rule(given, known_of(plain, given.many("on")))
    told["version"] = 1
    others = [one for place, one in enumerate(plain.get("rules", ())) if place != index and one["rule"] != told["rule"]]
    return parse_rulebook({**plain, "rules": [told, *others]}), str(told["rule"])


def _always(rulebook: Rulebook, lineage: str, draft: Draft) -> Rulebook:
    """The rulebook as if always in force, the rule of the form too if it has ended."""
    rules = tuple(replace(one, until_date=None) if one.rule == lineage else one for one in rulebook.rules)
    return as_of(replace(rulebook, rules=rules), _today(draft))


def _today(draft: Draft) -> date:
    return settings_at(draft.organization).date_of(timezone.now())


def _shown(draft: Draft, rulebook: Rulebook, version: RuleVersion) -> list[Shown]:
    """The latest events it names, with the facts it asks for and what it would give for each by itself."""
    today = _today(draft)
    events = Event.objects.filter(
        company_id__in=companies_of(draft.organization, today),
        name__in=version.on,
        business_date__gte=today - timedelta(days=LAST_DAYS),
    )
    ids = list(events.order_by("-pk").values_list("pk", flat=True)[:EXAMPLES])
    found = [one for one in gather(ids).values() if one.bucket is not None and not one.withheld]
    standings = standings_of([one.bucket for one in found if one.bucket is not None])
    labels = labels_of(version.on)
    asked = _facts_of(version)
    told = []
    for one in sorted(found, key=lambda other: other.happened_at, reverse=True):
        bucket = one.bucket or Bucket(0, 0, one.date)
        event = one.judged(late=False, standing=standings.get(bucket, UNKNOWN))
        event.object = one.object
        outcomes = replay([event], lambda day: DayRules(rulebook, day), looks_back=rulebook.looks_back)
        facts = ", ".join(f"{labels.fact(name)} {one.facts[name]}" for name in asked if name in one.facts)
        points = sum(outcome.points for outcome in outcomes if outcome.rule == version.rule)
        told.append(Shown(labels.event(one.name), one.date, facts, points))
    return told


def _facts_of(version: RuleVersion) -> list[str]:
    """The facts the rule asks for: nothing else of an event is shown."""
    names = [str(fact) for one in version.when if (fact := getattr(one, "fact", None))]
    if isinstance(version.points, PointsPer | PointsBySteps):
        names.append(version.points.per)
    return list(dict.fromkeys(names))


@needs(Deed.MANAGE_RULES)
def quick(request: HttpRequest, draft_id: int, index: int) -> HttpResponseBase:
    """What the last month would have paid some people drawn at random, at once."""
    draft = draft_for(request, draft_id)
    given = Given(request.POST)
    begun = read_rule(given, known_of(plain_of(draft), given.many("on")))
    if not (begun.get("rule") and begun.get("on")):
        return render(request, "building/look.html", {"unfinished": True, "draft": draft})
    try:
        rulebook, lineage = _candidate(request, draft, index)
    except RulebookRefused:
        return render(request, "building/quick.html", {})
    told = back_test(
        organization=draft.organization,
        rulebook=_always(rulebook, lineage, draft),
        until=_today(draft),
        days=LAST_DAYS,
        sample=QUICK_PEOPLE,
        most_events=QUICK_EVENTS,
        seed=draft.pk,
    )
    own = next((one for one in told["rules"] if one["rule"] == lineage), None)
    people = told["people"]
    context = {
        "told": told,
        "rule": (own or {}).get("after") or {},
        "before": (own or {}).get("before") or {},
        "each_before": told["cost"]["before_a_month"] / people if people else 0,
        "each_after": told["cost"]["after_a_month"] / people if people else 0,
        "few": people < HIDE_BELOW,
        "days": LAST_DAYS,
    }
    return render(request, "building/quick.html", context)


# The other parts


@needs(Deed.MANAGE_RULES)
def part(request: HttpRequest, draft_id: int, key: str) -> HttpResponseBase:
    """Groups, limits of a person, multipliers, reversals, levels, the programme; the whole file; the examples."""
    draft = draft_for(request, draft_id)
    if key == FILE:
        return _file(request, draft)
    if key == EXAMPLES_KEY:
        return _examples(request, draft)
    section = next((one for one in SECTIONS if one.key == key), None)
    if section is None:
        raise Http404("no such part")
    return _section(request, draft, section)


def _section(request: HttpRequest, draft: Draft, section: Section) -> HttpResponseBase:
    plain = plain_of(draft)
    told: Any = plain.get(section.key, {} if section.key == "programme" else [])
    known = known_of(plain, _named_events(plain))
    status = 200
    if request.method == "POST":
        told = section.read(Given(request.POST), known)
    blocks = section.blocks(told, known)
    if request.method == "POST":
        if "reload" not in request.POST:
            whole = {**plain, section.key: told}
            if not told:
                whole.pop(section.key)
            done = _saved(request, draft, whole, blocks, _("Saved."), section.key)
            if done:
                return done
        status = 422
    context = {
        "draft": draft,
        "section": section,
        "sections": SECTIONS,
        "title": section.title,
        "hint": section.hint,
        "blocks": blocks,
        "seen": draft.saves,
    }
    return render(request, "building/part.html", context, status=200 if "reload" in request.POST else status)


def _named_events(plain: Plain) -> set[str]:
    """The events the file names: their facts can be asked for."""
    return {name for one in plain.get("rules", ()) for name in texts(one.get("on", ()))}


def _file(request: HttpRequest, draft: Draft) -> HttpResponseBase:
    typed = request.POST.get("text") if request.method == "POST" else _readable(draft)
    field = Input("text", _("Rulebook"), "area", typed, wide=True)
    blocks = [Block(_("Rulebook file (JSON or YAML)"), [[field]])]
    status = 200
    if request.method == "POST":
        status = 422
        try:
            whole = load_text(str(typed))
        except RulebookRefused as refused:
            field.errors.append(refusal_sentence(refused))
        else:
            done = _saved(request, draft, whole, blocks, _("Saved."), "")
            if done:
                return done
    context = {
        "draft": draft, "sections": SECTIONS, "title": _("The file"), "blocks": blocks, "seen": draft.saves,
        "hint": _("Every key of the rulebook. What is not valid is refused with the name of its key."), "code": True,
        "current": FILE,
    }  # fmt: skip
    return render(request, "building/part.html", context, status=status)


def _readable(draft: Draft) -> str:
    return json.dumps(jsonable(plain_of(draft)), indent=2, ensure_ascii=False)


def _examples(request: HttpRequest, draft: Draft) -> HttpResponseBase:
    plain = plain_of(draft)
    known = known_of(plain)
    told: Sequence[Mapping[str, Any]] = draft.examples
    status, failed = 200, ""
    if request.method == "POST":
        told = read_examples(Given(request.POST))
        try:
            save_draft(draft=draft, seen=_seen(request), examples=told, by=viewer_for(request), now=timezone.now())
        except ExampleRefused as refused:
            status, failed = 422, _(refused.pattern) % refused.fields
        except (ChangedMeanwhile, NotOpen) as refused:
            status, failed = 422, _refused_saving(refused)
        else:
            messages.success(request, _("The examples are saved."))
            return redirect("building:part", draft.pk, EXAMPLES_KEY)
    rulebook = as_of(read_rulebook(draft.file), _today(draft))
    tried = try_examples(rulebook, told, _today(draft)) if status == 200 else []
    labels = labels_of(one.example["event"] for one in tried)
    context = {
        "draft": draft, "sections": SECTIONS, "title": _("Examples"), "current": EXAMPLES_KEY,
        "hint": _("Events with the points they must earn. They run whenever the draft is published; one that earns "
                  "something else stops it."),
        "blocks": example_blocks(told, known), "seen": draft.saves, "failed": failed,
        "tried": [(labels.event(one.example["event"]), one) for one in tried],
    }  # fmt: skip
    return render(request, "building/part.html", context, status=status)


# Saving


def _seen(request: HttpRequest) -> int:
    typed = request.POST.get("seen", "")
    return int(typed) if typed.isdigit() else 0


def _saved(
    request: HttpRequest, draft: Draft, whole: Any, blocks: Sequence[Block], said: str, place: str
) -> HttpResponseBase | None:
    """Saves the file and goes back to the draft; None: refused, the refusal is marked at its input."""
    try:
        save_draft(draft=draft, seen=_seen(request), rulebook=whole, by=viewer_for(request), now=timezone.now())
    except RulebookRefused as refused:
        inside = refused.path.removeprefix(place)
        if place == "person_cap":
            inside = f"all{inside}"
        found = nearest(blocks, inside) if refused.path.startswith(place) else None
        if found is None:
            messages.error(request, refusal_sentence(refused))
        else:
            found.errors.append(refusal_sentence(refused, found.label))
            messages.error(request, _("Not saved yet: look at “%(field)s”, which is marked.") % {"field": found.label})
        return None
    except CLOCK_REFUSALS as refused:
        messages.error(request, clock_refused(refused))
        return None
    except (ChangedMeanwhile, NotOpen) as refused:
        messages.error(request, _refused_saving(refused))
        draft.refresh_from_db()
        return None
    messages.success(request, said)
    return redirect(reverse("building:draft", args=[draft.pk]))


def _refused_saving(refused: Exception) -> str:
    if isinstance(refused, NotOpen):
        return _("This draft is closed: it is proposed, published or withdrawn.")
    return _("Somebody saved this draft meanwhile. Your entries are still here; saving again puts them over theirs.")


__all__ = ["Known", "look", "part", "quick", "rule", "rule_fields"]
