"""Paths: what people do after what, step by step, where they leave, and how often one thing follows another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from uptake.activity.folds.transitions import END, START
from uptake.events.models import EventType
from uptake.web import numbers
from uptake.web.answers import told
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds.kind import Column, Entry, Kind, Shown, behind
from uptake.web.parts import Link, Node, Sankey
from uptake.web.usage import category, labels_of
from uptake.web.viewing import viewer_for

NAME = "paths"
MATRIX = "matrix"
CATEGORY = "category"
GAPS: Mapping[str, Promise] = {
    "10": gettext_lazy("10 minutes"),
    "30": gettext_lazy("30 minutes"),
    "120": gettext_lazy("2 hours"),
    "480": gettext_lazy("8 hours"),
}
"""Minutes of silence after which a session is over."""
USUAL_GAP = "120"
"""Longer than for counting sessions: who enters an order between two calls is still on the same way."""
LENGTHS = ("5", "4", "3", "2")
COUNTS: Mapping[str, Promise] = {"walks": gettext_lazy("sessions"), "people": gettext_lazy("people")}
SMALLEST = 0.01
"""Links of a smaller share are not drawn."""
ROWS = 50
NODES_OF_MATRIX = 12
TONES = ("c1", "c3", "c2", "c4", "c5", "seq-3")
SHADES = (0.02, 0.05, 0.1, 0.25, 0.5)
"""Shares of a row from which a cell is a shade darker."""
MOST_ITEMS = 19


@dataclass(frozen=True)
class Cell:
    """How often the thing of the column follows that of the row."""

    text: str
    shade: int | None = None
    href: str = ""
    said: str = ""


def chosen(bar: Bar, name: str, known: Any, usual: str) -> str:
    """What the address chooses among what is known."""
    value = bar.request.GET.get(name, "")
    return value if value in known else usual


def naming(bar: Bar) -> str:
    """What the steps are: "" (events), "category", or the name of a property."""
    said = bar.request.GET.get("steps_are", "")
    return said if said == CATEGORY or said in dict(bar.properties) else ""


def question(bar: Bar) -> dict[str, Any]:
    """The ways of the address; where it says nothing, the first five events of each session."""
    return bar.question(
        "paths",
        **_nodes(bar),
        max_steps=int(chosen(bar, "length", LENGTHS, "5")),
        start=_end(bar, "start"),
        end=_end(bar, "end"),
        edge_limit=2000,
    )


def opened(bar: Bar) -> dict[str, Any]:
    """The question whose number is opened."""
    if bar.request.GET.get("of") == MATRIX:
        return matrix(bar)
    return question(bar)


def matrix(bar: Bar) -> dict[str, Any]:
    """What follows what, wherever in a session."""
    own = _nodes(bar)
    own["count"] = "times" if own["count"] == "walks" else own["count"]
    return bar.question("transitions", **own, collapse=True)


def _nodes(bar: Bar) -> dict[str, Any]:
    """The keys that both questions share."""
    how = naming(bar)
    own: dict[str, Any] = {
        "interval": None,
        "by": None,
        "compare": None,
        "count": chosen(bar, "count", COUNTS, "walks"),
        "session_gap_seconds": 60 * int(chosen(bar, "gap", GAPS, USUAL_GAP)),
    }
    if how == CATEGORY:
        grouped: dict[str, list[str]] = {}
        for name, one in EventType.objects.filter(name__in=[name for name, _label in bar.names]).values_list(
            "name", "category"
        ):
            if one:
                grouped.setdefault(one, []).append(name)
        groups = sorted(grouped.items(), key=lambda group: -len(group[1]))[:MOST_ITEMS]
        own["items"] = [*({"sel": {"event": sorted(names)}, "name": one} for one, names in groups), {}]
    elif how:
        own["event_sel"] = {"event": None, "where": [{"property": how, "op": "is_set"}]}
        own["items"] = [{"property": how}]
    return own


def _end(bar: Bar, name: str) -> str | None:
    return bar.request.GET.get(name, "").strip()[:255] or None


def show(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Shown:
    """The diagram, how to read it, and the matrix of what follows what."""
    people = asked["count"] == "people"
    total = answer["people"] if people else answer["walks"]
    links = _links(answer, asked["max_steps"])
    follows = told(bar.log, viewer_for(bar.request), matrix(bar))
    names = {node for _at, source, target, *_rest in links for node in (source, target) if node is not None}
    names |= {name for source, target, _count in follows["edges"] for name in (source, target)}
    names |= {end for end in (asked.get("start"), asked.get("end")) if end}
    said = _labels(bar, names)
    heads, cells = _matrix(bar, follows, said)
    return Shown(
        words=_words(bar, asked, said),
        context={
            "sankey": _sankey(bar, answer, links, total, said, people) if total else None,
            "reading": _reading(bar, asked, answer, follows, total, said),
            "heads": heads,
            "matrix": cells,
            "count": numbers.full(total),
            "people": people,
            "subtitle": _("%(first)s – %(last)s. Links below 1%% are left out of the picture.")
            % dict(
                zip(("first", "last"), numbers.ends(bar.chosen.period.first, bar.chosen.period.shown_last), strict=True)
            ),
        },
        columns=[
            Column(_("Step"), numeric=False),
            Column(pgettext("of a path", "From"), numeric=False),
            Column(pgettext("of a path", "To"), numeric=False),
            Column(_("People") if people else _("Sessions")),
            Column(_("Share")),
            Column(_("Mean time")),
        ],
        rows=[_row(bar, link, total, said) for link in links[:ROWS]],
        empty=not total,
    )


Way = tuple[int, str, str | None, int, float | None]
"""Position from 1, node, next node (None: leaves), how many, mean seconds."""


def _links(answer: Mapping[str, Any], most: int) -> list[Way]:
    """Where one goes and where one leaves, the most frequent first."""
    found: list[Way] = []
    for source, target, count, seconds in answer["edges"]:
        position, _sign, node = source.partition("_")
        found.append((int(position), node, target.partition("_")[2], count, seconds))
    for row in answer["steps"]:
        left = row["dropped"] - row["cut"]
        if left > 0 and row["step"] < most:
            found.append((row["step"], row["node"].partition("_")[2], None, left, None))
    return sorted(found, key=lambda way: (-way[3], way[0], way[1], way[2] or ""))


def _sankey(
    bar: Bar, answer: Mapping[str, Any], ways: list[Way], total: int, said: Mapping[str, str], people: bool
) -> Sankey:
    reached = {(row["step"], row["node"].partition("_")[2]): row["reached"] for row in answer["steps"]}
    drawn: list[Way] = []
    standing = {(1, node) for position, node, *_rest in ways if position == 1}
    for way in sorted(ways, key=lambda one: one[0]):
        position, node, then, count, _seconds = way
        if (position, node) in standing and count >= SMALLEST * total:
            drawn.append(way)
            if then is not None:
                standing.add((position + 1, then))
    weight: Counter[str] = Counter()
    for _position, node, _then, count, _seconds in drawn:
        weight[node] += count
    tones = {
        node: TONES[number] if number < len(TONES) else "ink-3"
        for number, (node, _n) in enumerate(weight.most_common())
    }
    nodes: dict[str, Node] = {}
    leaving: Counter[int] = Counter()
    links = []
    for position, node, then, count, _seconds in drawn:
        for at, one in ((position, node), (position + 1, then)):
            if one is not None and (key := f"{at}_{one}") not in nodes:
                value = reached.get((at, one), 0)
                href = behind(bar, NAME, step=at, node=one)
                nodes[key] = Node(key, said[one], at - 1, value, tones.get(one, "ink-3"), href)
        if then is None:
            leaving[position + 1] += count
            href = behind(bar, NAME, step=position, node=node, dropped=True)
            links.append(Link(f"{position}_{node}", f"{position + 1}/leave", count, href))
        else:
            href = behind(bar, NAME, **{"from": f"{position}_{node}", "to": f"{position + 1}_{then}"})
            links.append(Link(f"{position}_{node}", f"{position + 1}_{then}", count, href))
    for position, count in leaving.items():
        nodes[f"{position}/leave"] = Node(f"{position}/leave", _("Leave"), position - 1, count, "c6")
    listed = sorted(nodes.values(), key=lambda one: (one.step, one.tone == "c6", -one.value))
    columns = max((one.step for one in listed), default=0) + 1
    label = _("What people do after what, step by step") if people else _("What happens in sessions, step by step")
    return Sankey(
        id="ways", label=label, nodes=listed, links=links, total=total,
        heads=[_("Step %(n)s") % {"n": number} for number in range(1, columns + 1)],
    )  # fmt: skip


def _row(bar: Bar, way: Way, total: int, said: Mapping[str, str]) -> list[Entry]:
    position, node, then, count, seconds = way
    if then is None:
        href = behind(bar, NAME, step=position, node=node, dropped=True)
    else:
        href = behind(bar, NAME, **{"from": f"{position}_{node}", "to": f"{position + 1}_{then}"})
    return [
        Entry(f"{position} → {position + 1}"),
        Entry(said[node], word=True),
        Entry(said[then] if then is not None else _("Leave"), word=True),
        Entry(numbers.full(count), count, href),
        Entry(numbers.share(count / total), count / total),
        Entry(numbers.span(seconds) if seconds is not None else "–", None if seconds is None else round(seconds)),
    ]


def _reading(
    bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any], follows: Mapping[str, Any], total: int,
    said: Mapping[str, str],
) -> str:  # fmt: skip
    """How the picture is read, in natural frequencies."""
    first = [row for row in answer["steps"] if row["step"] == 1]
    if not total or not first:
        return ""
    people = asked["count"] == "people"
    if asked.get("start"):
        row = first[0]
        left = row["dropped"] - row["cut"]
        nexts = [edge for edge in answer["edges"] if edge[0] == row["node"]]
        if not nexts:
            return ""
        names = {
            "start": said[row["node"].partition("_")[2]], "next": said[nexts[0][1].partition("_")[2]],
            "n": _of_100(nexts[0][2], total), "left": _of_100(left, total),
        }  # fmt: skip
        if people:
            return (
                _("Of every 100 people at “%(start)s”, %(n)s go on to “%(next)s”, %(left)s do nothing after it.")
                % names
            )
        return _("Of every 100 sessions at “%(start)s”, %(n)s go on to “%(next)s”, %(left)s end there.") % names
    top = first[0]
    names = {"first": said[top["node"].partition("_")[2]], "n": _of_100(top["reached"], total)}
    text = (
        _("Of every 100 people, %(n)s have a session that starts with “%(first)s”.")
        if people
        else _("Of every 100 sessions, %(n)s start with “%(first)s”.")
    ) % names
    ends = Counter({source: count for source, target, count in follows["edges"] if target == END})
    if ends and not asked.get("end") and not people:
        node, count = ends.most_common(1)[0]
        text += " " + _("“%(last)s” is the most common last step (%(n)s of 100).") % {
            "last": said[node], "n": _of_100(count, sum(ends.values())),
        }  # fmt: skip
    return text


def _of_100(count: int, total: int) -> str:
    share = 100 * count / total
    return _("fewer than 1") if 0 < share < 0.5 else str(round(share))


def _matrix(
    bar: Bar, follows: Mapping[str, Any], said: Mapping[str, str]
) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Heads, and rows of cells: the twelve most frequent, how sessions begin, and where they end."""
    counts: dict[tuple[str, str], int] = {(source, target): count for source, target, count in follows["edges"]}
    weight: Counter[str] = Counter()
    base: Counter[str] = Counter()
    for (source, target), count in counts.items():
        base[source] += count
        for one in {source, target} - {START, END}:
            weight[one] += count
    nodes = [node for node, _count in weight.most_common(NODES_OF_MATRIX)]
    rows = []
    for source in [START, *nodes]:
        cells = []
        for target in [*nodes, END]:
            count = counts.get((source, target), 0)
            if not count:
                cells.append(Cell(""))
                continue
            share = count / base[source]
            cells.append(
                Cell(
                    numbers.compact(count),
                    sum(share >= least for least in SHADES),
                    behind(bar, NAME, of=MATRIX, **{"from": source, "to": target}),
                    _("%(from)s → %(to)s: %(n)s, %(share)s of the row")
                    % {
                        "from": said[source],
                        "to": said[target],
                        "n": numbers.full(count),
                        "share": numbers.share(share),
                    },
                )
            )
        rows.append((said[source], cells))
    return [said[node] for node in [*nodes, END]], rows


def _labels(bar: Bar, names: set[str]) -> dict[str, str]:
    """What the steps are called in the reader's language."""
    how = naming(bar)
    plain = sorted(names - {START, END, "..."})
    if how == CATEGORY:
        known = labels_of(plain) | {name: category(name) for name in plain if "." not in name and name[:1] != "$"}
    else:
        known = {name: name for name in plain} if how else labels_of(plain)
    return known | {START: _("Start"), END: _("End"), "...": "…", "": _("(none)")}


def _words(bar: Bar, asked: Mapping[str, Any], said: Mapping[str, str]) -> str:
    how = naming(bar)
    what = (
        _("events") if not how else _("categories of events") if how == CATEGORY
        else _("values of “%(property)s”") % {"property": dict(bar.properties)[how]}
    )  # fmt: skip
    start, end = asked.get("start"), asked.get("end")
    names = {
        "what": what, "place": bar.place.name, "start": said.get(start or "", ""), "end": said.get(end or "", ""),
        "n": asked["max_steps"],
    }  # fmt: skip
    if start and end:
        return _("Which %(what)s lie between “%(start)s” and “%(end)s” at %(place)s?") % names
    if start:
        return _("Which %(what)s follow “%(start)s” at %(place)s, up to step %(n)s?") % names
    if end:
        return _("Which %(what)s lead to “%(end)s” at %(place)s, at most %(n)s steps before?") % names
    return _("Which %(what)s follow each other at %(place)s, in the first %(n)s steps of a session?") % names


def fields(bar: Bar) -> dict[str, Any]:
    """What the form shows."""
    how = naming(bar)
    ends: list[tuple[str, str]] = []
    if how == CATEGORY:
        found = EventType.objects.filter(name__in=[name for name, _label in bar.names]).exclude(category="")
        ends = sorted((one, category(one)) for one in set(found.values_list("category", flat=True)))
    elif not how:
        ends = bar.names
    return {
        "naming": how,
        "ends": ends,
        "start": bar.request.GET.get("start", ""),
        "end": bar.request.GET.get("end", ""),
        "lengths": LENGTHS,
        "length": chosen(bar, "length", LENGTHS, "5"),
        "gaps": GAPS,
        "gap": chosen(bar, "gap", GAPS, USUAL_GAP),
        "counts": COUNTS,
        "count": chosen(bar, "count", COUNTS, "walks"),
    }


KIND = Kind(
    name=NAME,
    title=gettext_lazy("Paths"),
    lead=gettext_lazy("What people do after what, and where they leave."),
    definition=gettext_lazy(
        "A session ends where the next event comes the chosen time later or more. The same step several times in a "
        "row is one. A session that goes on beyond the last step shown does not count as leaving."
    ),
    icon="chart-sankey",
    question=question,
    show=show,
    fields=fields,
    intervals=("day",),
    opened=opened,
    breakdown=False,
    comparison=False,
    names_people=True,
)
