"""Describing names of events in the catalogue."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.viewer import NotAllowed
from uptake.events.describe import NotAName, NotAProperty, describe
from uptake.events.models import EventType

pytestmark = pytest.mark.django_db


def test_what_is_given_is_set_and_the_rest_stays(cast: Cast) -> None:
    ren = cast.viewer(cast.ren)
    describe(name="order.processed", label_en="Order processed", label_zh="订单已处理", by=ren, now=NOW)
    properties = {"amount": {"type": "number", "label_en": "Amount", "label_zh": "金额"}}
    describe(
        name="order.processed", properties=properties, counts_as_active=False, object_type="order", by=ren, now=NOW
    )
    describe(name="order.processed", category="", by=ren, now=NOW)
    kind = EventType.objects.get()
    assert (kind.label_en, kind.label_zh, kind.counts_as_active) == ("Order processed", "订单已处理", False)
    assert (kind.properties, kind.object_type, kind.declared) == (properties, "order", True)
    assert AuditEntry.objects.filter(deed="event_type.described").count() == 2, "saying nothing new is not a deed"


@pytest.mark.parametrize(
    "properties",
    [{"amount": {"type": "money"}}, {"amount": {}}, {"": {"type": "text"}}, {"a": {"type": "text", "label_en": 7}}],
)
def test_a_property_needs_a_name_and_a_known_type(cast: Cast, properties: dict[str, Any]) -> None:
    with pytest.raises(NotAProperty):
        describe(name="order.processed", properties=properties, by=cast.viewer(cast.ren), now=NOW)


@pytest.mark.parametrize("name", ["", "x" * 201, "a\0"])
def test_a_name_must_be_one(cast: Cast, name: str) -> None:
    with pytest.raises(NotAName):
        describe(name=name, by=cast.viewer(cast.ren), now=NOW)


@pytest.mark.parametrize("who", ["lin", "hua", "mo", "wei", "shu"])
def test_only_who_manages_data_describes(cast: Cast, who: str) -> None:
    with pytest.raises(NotAllowed):
        describe(name="order.processed", by=cast.viewer(cast.people()[who]), now=NOW)
    assert not EventType.objects.exists()
