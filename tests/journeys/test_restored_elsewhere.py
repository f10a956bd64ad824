"""A dump restored into another PostgreSQL server: nothing is read twice, and what comes is not passed over."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from tests.cast import NOW, build_cast
from tests.server import environment, inside
from tools.postgresql import NoPostgresql, private_server, program
from uptake.events.models import Event
from uptake.events.read import Position, move_bookmark
from uptake.events.record import record
from uptake.events.tests.world import connection_of, said

# More transactions than a server needs for restoring this small a dump.
COUNT_FAR = """
CREATE PROCEDURE pg_temp.count_far() LANGUAGE plpgsql AS $$
BEGIN FOR n IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$
"""
TELL = """
import json
from datetime import datetime
from uptake.events.models import Connection
from uptake.events.read import START, events_after, positions_of
from uptake.events.record import record
from uptake.events.tests.world import said
from uptake.insight.feed.check import check
from uptake.insight.feed.refresh import refresh
now = datetime.fromisoformat("{now}")
erp = Connection.objects.select_related("organization").get()
record([said("written there")], connection=erp, now=now)
refresh(now=now)
keys = lambda position: [one.key for one in events_after(position, limit=100)]
print(json.dumps({{"next": keys(positions_of("reader")[0]), "all": keys(START), "right": check().right}}))
"""


@pytest.mark.django_db(transaction=True)
def test_readers_go_on_in_another_server(tmp_path: Path) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a copy of SQLite's file is the same wherever it lies")
    try:
        dump, restore = program("pg_dump"), program("pg_restore")
    except NoPostgresql as none:
        pytest.skip(str(none))
    with connection.cursor() as cursor:
        cursor.execute(COUNT_FAR)
        cursor.execute("CALL pg_temp.count_far()")
    erp = connection_of(build_cast().beiyuan)
    record([said("read here")], connection=erp, now=NOW)
    first = Event.objects.get()
    move_bookmark("reader", events=Position(first.txid, first.pk), now=NOW)
    record([said("not read yet")], connection=erp, now=NOW)
    here = connection.settings_dict
    own = f"postgresql://{settings.DATABASES['default']['USER']}@/{here['NAME']}?host={here['HOST']}"
    subprocess.run([dump, "-Fc", "-f", str(tmp_path / "dump"), own], check=True)

    with private_server() as url:
        subprocess.run([restore, "--no-owner", "-d", url, str(tmp_path / "dump")], check=True)
        answer = restored(tmp_path / "data", url)
        found = inside(TELL.format(now=NOW.isoformat()), data=tmp_path / "data", database_url=url)

    assert answer["events"] == 2
    assert found["next"] == ["not read yet", "written there"]
    assert found["all"] == ["read here", "not read yet", "written there"]
    assert found["right"]


def restored(data: Path, url: str) -> dict[str, Any]:
    """What `uptake restored` tells."""
    told = subprocess.run(
        [sys.executable, "-m", "uptake.config.command", "restored", "--json"],
        env=environment(data=data, database_url=url),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found
