"""Figures of the business come out of a connected database: tried, imported, read every night, and only one's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from uptake.connectors.models import Pull
from uptake.connectors.pull import sql
from uptake.connectors.pull.connect_system import connect_system
from uptake.connectors.pull.opening import inbox
from uptake.connectors.pull.presets import preset
from uptake.connectors.pull.pull_due import pull_connection
from uptake.directory.models import AuditEntry, Organization, RoleAssignment
from uptake.directory.scope import EVERYTHING
from uptake.events.models import Event
from uptake.insight.impact.business_series import figures_of
from uptake.insight.impact.keep_series import make_series
from uptake.insight.impact.models import Series, SeriesQuery, SeriesVersion
from uptake.jobs.series import read_series
from uptake.notify.models import Message
from uptake.web.pages.impact.tests.test_impact_pages import read

pytestmark = pytest.mark.django_db
ASKED = {"query": "SELECT day, dept, n FROM sales", "day": "day", "place": "Dept", "value": "n"}


@pytest.fixture
def today() -> date:
    return timezone.localdate()


def connected(place: Organization, address: str = "sqlite:///books.db", **secrets: str) -> Pull:
    return connect_system(
        slug=f"{place.slug}-books", name=f"Books of {place.name}", organization=place, declaration=preset("sql").text,
        settings={"address": address}, secrets=secrets, by=EVERYTHING, now=timezone.now(), preset="sql",
    )  # fmt: skip


def books(pull: Pull, *rows: tuple[object, ...]) -> None:
    folder: Path = inbox(pull.connection.slug)
    with sqlite3.connect(folder / "books.db") as made:
        made.execute("DROP TABLE IF EXISTS sales")
        made.execute("CREATE TABLE sales (day, dept, n)")
        made.executemany("INSERT INTO sales VALUES (?, ?, ?)", rows)


def series_at(place: Organization) -> Series:
    return make_series(organization=place, name="Turnover", unit="CNY", by=EVERYTHING, now=timezone.now())


def ask(client: Client, series: Series, pull: Pull, do: str, **changed: str) -> tuple[int, str]:
    form: Mapping[str, str] = {**ASKED, "connection": pull.connection.slug, "do": do, **changed}
    answer = client.post(f"/impact/series/{series.pk}/database/", form)
    return answer.status_code, answer.content.decode()


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA", str(tmp_path))


def test_a_query_is_tried_then_imported_then_read_at_night(cast: Cast, today: date) -> None:
    ren, series, pull = cast.sign_in(cast.ren), series_at(cast.beiyuan), connected(cast.beiyuan, password="sesame")
    day, later = today - timedelta(days=9), today + timedelta(days=30)
    rows: list[tuple[object, ...]] = [
        (f"{day} 00:00:00", cast.purchasing.slug, 10), (str(day), cast.finance.name, "20.5"), (str(day), None, 7),
        ("no day", None, 1), (str(day), cast.finance.slug, "many"), (str(day), cast.dyeing.slug, 1),
        (str(later), None, 1), (str(day), cast.purchasing.slug, 11),
    ]  # fmt: skip
    books(pull, *rows)

    status, tried = ask(ren, series, pull, "try")

    assert status == 200
    for why in ("cannot be read", "is no number", "no such place", "in the future", "in the query already"):
        assert why in tried
    assert "8 rows, 3 can be taken, 5 left out" in tried
    assert ASKED["query"] in tried
    assert "sesame" not in tried
    assert not SeriesVersion.objects.exists()
    assert ask(ren, series, pull, "nightly")[0] == 302
    first = SeriesVersion.objects.get()
    assert (first.source, first.rows) == (pull.connection.slug, 3)
    stands = {cast.purchasing.slug: {day: 10.0}, cast.finance.slug: {day: 20.5}, cast.beiyuan.slug: {day: 7.0}}
    assert figures_of(series) == stands
    assert AuditEntry.objects.filter(deed="series.read").count() == 1

    rows[0] = (str(day), cast.purchasing.slug, 12)
    books(pull, *rows)
    query = SeriesQuery.objects.get()
    assert query.next_at is not None
    assert read_series(now=query.next_at - timedelta(minutes=1)) == 0
    for _again in range(2):
        read_series(now=query.next_at)
    second = SeriesVersion.objects.order_by("pk").last()
    assert second is not None
    assert second.figures == {cast.purchasing.slug: {day.isoformat(): "12"}}
    told = AuditEntry.objects.filter(deed="series.read").order_by("pk").values_list("actor_name", flat=True)
    assert list(told) == [cast.viewer(cast.ren).name, "job series"]
    query.refresh_from_db()
    assert query.next_at is not None
    assert query.read_at is not None
    read_series(now=query.next_at)
    assert SeriesVersion.objects.count() == 2, "the same again is no version"
    page = read(ren, f"/impact/series/{series.pk}/")
    assert "Read every night from Books of" in page
    assert "from a database" in page
    assert ren.post(f"/impact/series/{series.pk}/{second.pk}/withdraw/").status_code == 302
    assert figures_of(series) == stands
    assert ask(ren, series, pull, "stop")[0] == 302
    assert SeriesQuery.objects.get().next_at is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"value": "amount"}, "no column “amount”. It gives: day, dept, n"),
        ({"query": "SELECT nothing FROM nowhere"}, "refuses the query"),
        ({"query": "DELETE FROM sales"}, "must be one SELECT"),
        ({"query": "SELECT 1; DROP TABLE sales"}, "must be one SELECT"),
        ({"query": " "}, "Give a query"),
        ({"day": ""}, "Give a query"),
        ({"connection": "no-such"}, "Choose a database"),
        ({"query": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 5001) "
                   "SELECT n, n AS day, '' AS dept FROM t"}, "too many rows"),
        ({"query": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) "
                   "SELECT max(n) AS n, 1 AS day, '' AS dept FROM t"}, "did not answer in time"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why_and_keeps_what_was_typed(
    cast: Cast, changed: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "SECONDS", 1)
    ren, series, pull = cast.sign_in(cast.ren), series_at(cast.beiyuan), connected(cast.beiyuan)
    books(pull, ("2026-01-05", "", 3))

    status, page = ask(ren, series, pull, "import", **changed)

    assert status == 422
    assert said in page
    assert 'name="value" maxlength="100" required autocomplete="off" autocapitalize="off" value="' in page
    assert changed.get("value", "n") in page
    assert not SeriesVersion.objects.exists()
    assert not SeriesQuery.objects.exists()


def test_a_night_that_fails_says_why_on_the_page(cast: Cast, today: date) -> None:
    ren, series, pull = cast.sign_in(cast.ren), series_at(cast.beiyuan), connected(cast.beiyuan)
    books(pull, (str(today), "", 3))
    assert ask(ren, series, pull, "nightly")[0] == 302
    page = f"/impact/series/{series.pk}/database/"

    def night() -> None:
        due: datetime | None = SeriesQuery.objects.get().next_at
        assert due is not None
        read_series(now=due)

    with sqlite3.connect(inbox(pull.connection.slug) / "books.db") as made:
        made.execute("ALTER TABLE sales RENAME COLUMN n TO amount")
    night()
    assert "no such column" in read(ren, page)
    (inbox(pull.connection.slug) / "books.db").unlink()
    night()
    assert "not in the folder" in read(ren, page)
    books(pull, (str(today), cast.dyeing.slug, 3))
    night()
    assert "No row of the query can be taken" in read(ren, page)
    RoleAssignment.objects.filter(person=cast.ren).delete()
    books(pull, (str(today), "", 4))
    night()
    an = cast.sign_in(cast.an)
    assert "may no longer" in read(an, page)
    assert SeriesVersion.objects.count() == 1


def test_who_had_it_read_at_night_is_told_once_that_it_failed_until_it_works_again(cast: Cast, today: date) -> None:
    ren, series, pull = cast.sign_in(cast.ren), series_at(cast.beiyuan), connected(cast.beiyuan)
    books(pull, (str(today), "", 3))
    assert ask(ren, series, pull, "nightly")[0] == 302
    file = inbox(pull.connection.slug) / "books.db"

    def night() -> int:
        due: datetime | None = SeriesQuery.objects.get().next_at
        assert due is not None
        read_series(now=due)
        return Message.objects.filter(kind="impact.series_failed", person=cast.ren).count()

    assert night() == 0
    file.unlink()
    assert [night(), night()] == [1, 1]
    books(pull, (str(today), "", 4))
    assert night() == 1
    file.unlink()
    assert [night(), night()] == [2, 2]
    assert not Message.objects.filter(kind="impact.series_failed").exclude(person=cast.ren).exists()
    assert "Business figures could not be read at night" in read(ren, "/messages/")
    said = Message.objects.filter(kind="impact.series_failed").earliest("pk")
    assert ren.post(f"/messages/{said.pk}/open").headers["Location"] == f"/impact/series/{series.pk}/"


def test_a_database_without_a_stream_gives_figures_and_tells_nothing(cast: Cast, today: date) -> None:
    ren, series = cast.sign_in(cast.ren), series_at(cast.beiyuan)
    pull = connect_system(
        slug="only-figures", name="Books", organization=cast.beiyuan, declaration=preset("sql_figures").text,
        settings={"address": "sqlite:///books.db"}, secrets={}, by=EVERYTHING, now=timezone.now(),
    )  # fmt: skip
    books(pull, (str(today), "", 3))

    pull_connection(pull_id=pull.pk, clock=timezone.now)
    pull.refresh_from_db()

    assert (pull.failure, pull.attention, pull.read_at is not None) == (None, None, True)
    assert not Event.objects.filter(source="only-figures").exists()
    assert "It tells no events" in read(ren, "/data/connections/only-figures")
    assert ask(ren, series, pull, "import")[0] == 302
    assert figures_of(series) == {cast.beiyuan.slug: {today: 3.0}}
    (inbox("only-figures") / "books.db").unlink()
    pull_connection(pull_id=pull.pk, clock=timezone.now)
    pull.refresh_from_db()
    assert pull.failure is not None
    assert pull.failure["code"] == "file_missing"


def test_nobody_reads_what_lies_elsewhere(cast: Cast, today: date) -> None:
    series = series_at(cast.beiyuan)
    own, foreign, above = (connected(place) for place in (cast.beiyuan, cast.qinghe, cast.park))
    for pull in (own, foreign, above):
        books(pull, (str(today), cast.dyeing.slug, 3), (str(today), cast.dyeing.name, 3))
    ren, page = cast.sign_in(cast.ren), f"/impact/series/{series.pk}/database/"

    shown = read(ren, page)
    assert own.connection.name in shown
    assert above.connection.name in shown
    assert foreign.connection.name not in shown
    assert ask(ren, series, foreign, "import")[0] == 422
    status, tried = ask(ren, series, above, "try")
    assert (status, "no such place here" in tried) == (200, True)
    assert "2 rows, 0 can be taken, 2 left out" in tried
    assert ask(ren, series, above, "import")[0] == 422
    for one in (cast.hua, cast.mo, cast.shu, cast.wei, cast.lin):
        client = cast.sign_in(one)
        assert client.get(page).status_code in (403, 404)
        assert ask(client, series, own, "import")[0] in (403, 404)
        assert ask(client, series, own, "stop")[0] in (403, 404)
    assert not SeriesVersion.objects.exists()


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_postgresql_is_read_and_only_read(cast: Cast, today: date) -> None:
    held = connection.settings_dict
    address = f"postgresql://{held['USER']}@/{held['NAME']}?host={held['HOST']}"
    ren, series, pull = cast.sign_in(cast.ren), series_at(cast.beiyuan), connected(cast.beiyuan, address)
    query = "SELECT CURRENT_TIMESTAMP - INTERVAL '2 days' AS day, CAST(3.25 AS numeric) AS n, ':x' AS dept"

    assert ask(ren, series, pull, "import", query=query, place="")[0] == 302
    assert list(figures_of(series)[cast.beiyuan.slug].values()) == [3.25]
    status, said = ask(ren, series, pull, "import", query="SELECT 1 AS n, 1 AS day, nextval('x') AS dept")
    assert (status, "refuses the query" in said) == (422, True)
    status, said = ask(
        ren, series, pull, "try", query="SELECT pg_sleep(0), set_config('a.b', 'c', false) AS day, 1 AS n"
    )
    assert status == 422
