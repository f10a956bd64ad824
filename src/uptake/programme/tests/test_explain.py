"""Every event answers why it earned what it did, or why it did not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import override

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.decide import decline
from uptake.events.models import Batch, Event
from uptake.events.withdraw import withdraw
from uptake.programme.evaluate import CODES
from uptake.programme.explain import Explanation, explain_event, explain_events
from uptake.programme.models import Award, Reason
from uptake.programme.sentences import Labels
from uptake.programme.tests.world import RULES, Desk

pytestmark = pytest.mark.django_db(transaction=True)

LABELS = Labels(events={"order.processed": "Order processed"}, facts={"lines": "Order lines"})


def explained(event: Event) -> Explanation:
    with override("en"):
        return explain_event(event, LABELS)


@pytest.mark.parametrize(
    ("rule", "lines", "codes", "sentence"),
    [
        ({}, 12, (), "“Order lines” is 12, and every 1 of it makes 1 point."),
        ({"points": 5}, 12, (), "The rule gives 5 points each time."),
        (
            {},
            120,
            ("cap_day",),
            "“Order lines” is 120, and every 1 of it makes 1 point. Of 100 points a day, 0 were used. "
            "So 100 points count. There is room again from 14 May 2026.",
        ),
        (
            {"cap": [{"times": 0, "every": "day"}]},
            1,
            ("cap_day",),
            "“Order lines” is 1, and every 1 of it makes 1 point. Of 0 times a day, 0 were used. "
            "So 0 points count. There is room again from 14 May 2026.",
        ),
        ({}, "many", ("no_number",), "The rule counts “Order lines”, but the event gives no number for it."),
        (
            {},
            -1,
            ("not_positive",),
            "“Order lines” is -1, and every 1 of it makes 1 point. Only a number above 0 earns points.",
        ),
        (
            {"when": [{"fact": "lines", "op": "gte", "value": 5}]},
            4,
            ("condition",),
            "The rule pays only if “Order lines” is at least 5; here it is 4.",
        ),
        (
            {"when": [{"fact": "lines", "op": "lt", "value": Decimal("2.5")}]},
            Decimal("3.25"),
            ("condition",),
            "The rule pays only if “Order lines” is less than 2.5; here it is 3.25.",
        ),
        (
            {"when": [{"fact": "size", "value": ["S", "M"]}]},
            4,
            ("condition",),
            "The rule pays only if “size” is one of “S” or “M”; here it is not known.",
        ),
        (
            {"when": [{"person": "role", "value": "buyer"}]},
            4,
            ("condition",),
            "The rule pays only if the person's role is “buyer”; here it is “clerk”.",
        ),
    ],
)
def test_award_says_why(cast: Cast, rule: dict[str, Any], lines: Any, codes: Any, sentence: str) -> None:
    desk = Desk(cast, [{**RULES[0], **rule}])
    event = desk.processed("A", lines=lines)

    found = explained(event)

    (line,) = found.lines
    assert (line.title, line.codes, line.sentence) == ("Order processed", codes, sentence)
    assert found.code == ("awarded" if line.points else "nothing")
    assert (found.sentence, found.points) == ("", line.points)


def test_event_says_what_keeps_it_from_earning(cast: Cast) -> None:
    desk = Desk(cast)
    batch = Batch.objects.create(connection=desk.connection, label="file", created_at=NOW)
    late, refused = (desk.processed(key, NOW - timedelta(days=30)) for key in ("late", "refused"))
    decline(event=refused, by=EVERYTHING, now=NOW)
    undone = desk.processed("undone", batch=batch)
    withdraw(batch=batch, by=EVERYTHING, now=NOW)
    first = desk.processed("revised")
    desk.processed("revised", lines=5, revision=2)
    desk.consider()

    said = {
        "It came too late and waits for a decision.": late,
        "It was declined, so it does not count.": refused,
        "The import it came with was undone, so it does not count.": undone,
        "A later revision has taken its place.": first,
        "It is not known yet who did this. Once it is, the points are added.": desk.processed("x", who="L-7"),
        "It has just come in and is being considered.": desk.processed("new", consider=False),
    }

    for sentence, event in said.items():
        assert (explained(event).sentence, explained(event).points) == (sentence, 0)


def test_event_that_no_rule_names_says_so(cast: Cast) -> None:
    desk = Desk(cast, [{**RULES[0], "on": "stock.moved"}])
    event = desk.processed("A")

    assert explained(event).sentence == "No rule names “Order processed”."


def test_event_of_history_only_says_so(cast: Cast) -> None:
    event = Desk(cast).processed("A", history_only=True)

    assert [line.sentence for line in explained(event).lines] == [
        "It was brought in as history only, which earns no points."
    ]


def test_many_are_explained_with_as_few_queries_as_one(cast: Cast, django_assert_max_num_queries: Any) -> None:
    desk = Desk(cast)
    events = [desk.processed(f"A{number}", consider=False).pk for number in range(10)]
    desk.consider()

    with django_assert_max_num_queries(8):
        found = explain_events(events, LABELS)

    assert sum(one.points for one in found.values()) == 100


def test_one_sees_ones_own_awards_and_a_manager_nobodys(cast: Cast) -> None:
    desk = Desk(cast)
    desk.processed("A")
    desk.processed("B", who="hua")

    seen = {
        name: set(Award.objects.visible_to(cast.viewer(who)).values_list("event__key", flat=True))
        for name, who in cast.people().items()
    }

    assert seen["lin"] == {"A"}
    assert seen["hua"] == {"B"}
    assert seen["mo"] == seen["ke"] == set()
    assert seen["wei"] == seen["ren"] == seen["shu"] == {"A", "B"}


def test_every_code_has_a_name() -> None:
    assert set(CODES) == set(Reason.values)
