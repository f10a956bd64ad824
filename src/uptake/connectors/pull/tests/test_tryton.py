"""A real Tryton, in which five people worked, is read whole: everything they did comes in once, by the right name.

`make test` makes one beside the other tests (`tools/real_systems.py`); without it this is skipped, and only the
recorded answers of such a server are read. Alone: `tools/tryton/build.py` says what to set.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.cast import NOW, Cast
from uptake.connectors.models import Pull
from uptake.connectors.pull.connect_system import connect_system
from uptake.connectors.pull.engines import open_connector
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.presets import preset
from uptake.connectors.pull.protocol import Access, Position
from uptake.connectors.pull.pull_due import pull_connection
from uptake.connectors.pull.tests.recorded import record_of, recording
from uptake.directory.scope import EVERYTHING
from uptake.events.models import Event

Deed = tuple[str, str, str]
"""Who, which action, and the object."""
SIGNING = ("login", "logout", "login_failed")


def truth(lines: list[dict[str, Any]]) -> Counter[Deed]:
    """What people did to records, as they wrote it down themselves."""
    return Counter(
        (one["user"], one["verb"], f"{one['model']},{one['id']}") for one in lines if one["verb"] not in SIGNING
    )


def unknowable(done: Counter[Deed]) -> Counter[Deed]:
    """Creations of records that were deleted before anybody asked: Tryton keeps nothing of them."""
    gone = {thing for _user, verb, thing in done if verb == "delete"}
    return Counter(deed for deed in done if deed[1] == "create" and deed[2] in gone)


@pytest.mark.once
def test_recorded_answers_say_what_people_did() -> None:
    declaration = preset("tryton").declaration
    kept = recording("tryton")
    reading = Reading(declaration, "erp", "UTC", {"database": "erp"})
    told: Counter[Deed] = Counter()
    for name, rows in kept["streams"].items():
        stream = declaration.stream(name)
        for row in rows:
            for one in reading.read(stream, record_of(row)):
                if not one.history_only and one.person != "admin":
                    told[str(one.person), one.facts["action"], one.object] += 1
    done = truth(kept["truth"])
    assert sum(done.values()) > 90
    assert done - told == unknowable(done)
    assert told - done == Counter()


@pytest.fixture
def erp() -> tuple[str, str, list[dict[str, Any]]]:
    """(address, database, truth) of a running Tryton."""
    address, lines = os.environ.get("TRYTON_ADDRESS", ""), os.environ.get("TRYTON_TRUTH", "")
    if not address or not lines:
        pytest.skip("no Tryton is running: see tools/tryton/build.py")
    parts = urlsplit(address)
    found = [json.loads(line) for line in Path(lines).read_text().splitlines()]
    return f"{parts.scheme}://{parts.netloc}", parts.path.strip("/"), found


@pytest.mark.django_db
def test_a_real_tryton_is_read_whole_and_twice_without_a_double(cast: Cast, erp: tuple[str, str, Any]) -> None:
    address, database, lines = erp
    chosen = preset("tryton")
    pull = connect_system(
        slug="erp",
        name="ERP of Beiyuan",
        organization=cast.beiyuan,
        declaration=chosen.text,
        settings={"address": address, "database": database, "user": "connector"},
        secrets={"password": os.environ.get("TRYTON_PASSWORD", "connector-Secret-2026")},
        by=EVERYTHING,
        now=NOW,
        history_from=datetime.fromisoformat("2020-01-01T00:00:00+00:00"),
        earn_history=True,
    )
    for _turn in range(2):
        while pull_connection(pull_id=pull.pk, clock=lambda: NOW).unfinished:
            pass
        assert Pull.objects.get().failure is None
        told = Counter(
            (person, facts["action"], thing)
            for person, facts, thing in Event.objects.filter(history_only=False).values_list(
                "identity__external_id", "facts", "object"
            )
            if person != "admin"
        )
        done = truth(lines)
        assert done - told == unknowable(done)
        assert told - done == Counter()


GONE = {3: "sale.sale,4", 4: "sale.sale,4", 6: "purchase.purchase,2", 7: "sale.sale,700", 8: "product.product,1"}
"""What log rows of records that are gone were about: Tryton answers null, and still finds them by value."""


class GoneRecords:
    """The log of a Tryton some of whose records were deleted; it shows their rows without what they were about."""

    def __init__(self) -> None:
        self.searches = 0
        self.told = {1: "sale.sale,1", 2: "sale.sale,2", 5: "purchase.purchase,1", **GONE}
        self.there = {"sale.sale": {1, 2, 3, 5, 650, 800}, "purchase.purchase": {1, 3}}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        method, params = asked["method"], asked["params"]
        if method == "common.db.login":
            return httpx.Response(200, json={"id": 1, "result": [7, "ab" * 32, None]})
        if method == "model.ir.model.log.search_read":
            at = {"__class__": "datetime", "year": 2026, "month": 11, "day": 21, "hour": 9, "microsecond": 5}
            rows = [
                {"id": id_, "create_date": {**at, "second": id_}, "event": "delete", "target": None, "user": 2,
                 "user.": {"login": "alice", "id": 2}, "resource": None if id_ in GONE else said}
                for id_, said in sorted(self.told.items())
            ]  # fmt: skip
            return httpx.Response(200, json={"id": 1, "result": rows})
        self.searches += 1
        if method == "model.ir.model.log.search":
            (_id, _in, ids), (_resource, how, values) = params[0]
            fits = (lambda said: said.startswith(values[:-1])) if how == "like" else (lambda said: said in values)
            return httpx.Response(200, json={"id": 1, "result": [id_ for id_ in ids if fits(self.told[id_])]})
        model = method.removeprefix("model.").removesuffix(".search")
        (_low, _ge, low), (_high, _le, high) = params[0]
        found = [number for number in sorted(self.there[model]) if low <= number <= high]
        return httpx.Response(200, json={"id": 1, "result": found})


@pytest.mark.once
def test_rows_of_records_that_are_gone_are_named_again_by_searching_and_once() -> None:
    there = GoneRecords()
    settings = {"address": "http://erp.example", "database": "gone", "user": "connector"}
    connector: Any = open_connector(preset("tryton").declaration, Access(settings, {"password": "x"}))
    connector.http.client = httpx.Client(transport=httpx.MockTransport(there))
    stream = next(one for one in preset("tryton").declaration.streams if one.options.get("models"))

    def named() -> dict[str, str]:
        page = connector.pull(stream, Position(), 100)
        return {one.id: f"{one.raw['model']},{one.raw['number']}" for one in page.records}

    expected = {**{str(id_): said for id_, said in there.told.items()}}
    assert {**expected, "8": "unknown,"} == named(), "a model that is not declared stays unknown"
    searches = there.searches
    assert searches < 60, "by halving, not one by one"
    named()
    assert there.searches == searches, "what was found is remembered"
