"""`uptake activity rebuild | check | sql` and `uptake ask` where the activity files lie on S3-compatible storage."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.cast import NOW, Cast
from uptake.activity.storage import ObjectStorage, storage_at
from uptake.config.command import main
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.record import record
from uptake.insight.feed.refresh import refresh

ThreadedMotoServer = pytest.importorskip("moto.server", reason="moto is not installed").ThreadedMotoServer
pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]
FILES = "s3://park-files/uptake/activity"


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStorage]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    host, port = moto.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"), ("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "uptake"), ("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-test"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    found = storage_at(FILES)
    assert isinstance(found, ObjectStorage)
    found._client.create_bucket(Bucket="park-files")
    yield found
    moto.stop()


def run(*words: str, stdin: str | None = None) -> Result:
    ran = CliRunner().invoke(main, list(words), input=stdin)
    assert ran.exit_code == 0, ran.output
    return ran


def told(ran: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def test_commands_work_over_object_storage(cast: Cast, storage: ObjectStorage, settings: Any, tmp_path: Path) -> None:
    settings.DATA, settings.ACTIVITY_FILES, settings.ACTIVITY_BUCKETS = tmp_path, FILES, 4
    connection = connect(slug="erp", kind="api", name="ERP", organization=cast.park, by=EVERYTHING, now=NOW)
    happenings = [
        Happening(event=event, key=str(number), at=NOW, person="lin", company="beiyuan")
        for number, event in enumerate(["order.processed", "order.processed", "login"])
    ]
    record(happenings, connection=connection, now=NOW)

    refresh(now=NOW)
    checked = told(run("activity", "check", "--json"))
    settings.ACTIVITY_BUCKETS = 8
    rebuilt = told(run("activity", "rebuild", "--json"))
    counted = told(run("activity", "sql", "select event, count(*) as n from events group by 1 order by 2", "--json"))
    asked = told(run("ask", "-", "--json", stdin=json.dumps({"analysis": "pv_uv", "event_sel": {}})))

    assert (checked["rows"], checked["missing"], checked["different"]) == (3, 0, 0)
    assert rebuilt["events"] == 3
    assert counted["rows"] == [["login", 1], ["order.processed", 2]]
    assert asked["total_pv"] == 3
    assert any(path.startswith("bucket-") for path, _ in storage._listed(""))
    assert not (tmp_path / "activity").exists()
    assert json.loads(storage.read(max(storage.manifests())))["buckets"] == 8
