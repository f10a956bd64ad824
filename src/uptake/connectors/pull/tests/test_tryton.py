"""A real Tryton, in which five people worked, is read whole: everything they did comes in once, by the right name.

`tools/tryton/build.py` builds one and says what to set; without it this is skipped, and only the recorded answers of
such a server are read.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cast import NOW, Cast
from uptake.connectors.models import Pull
from uptake.connectors.pull.connect_system import connect_system
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.presets import preset
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
