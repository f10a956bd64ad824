"""A file becomes events once, whatever happens on the way, and can be taken back as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.connectors.files import run_import as running
from uptake.connectors.files import settle
from uptake.connectors.files.begin_import import begin_import, kept_file
from uptake.connectors.files.formats import open_table
from uptake.connectors.files.map_import import TooLate, map_import, queue_import
from uptake.connectors.files.mapping import Mapping, Property, UnfitMapping
from uptake.connectors.files.preview_import import preview_import, try_rows
from uptake.connectors.files.run_import import NotRunnable, run_import, run_waiting_imports
from uptake.connectors.files.table import UnreadableFile
from uptake.connectors.files.undo_import import NothingToUndo, undo_import
from uptake.connectors.models import ImportRun, ImportState, RememberedMapping
from uptake.directory.models import AuditEntry, Identity, Organization, Person
from uptake.directory.scope import EVERYTHING, NotAllowed, Viewer, viewer_of
from uptake.events.connect import pause
from uptake.events.models import Batch, Connection, Event, Quarantine

MAPPING = Mapping(
    name=("event", "state"),
    time="time",
    person="person",
    object="order",
    properties=(Property("amount", "amount", "number"),),
)
HEADER = "person,event,state,time,order,amount"
ROWS = [
    "E01,order,made,2026-05-04T09:00:00,BY-1,100",
    "E01,order,made,2026-05-04T09:00:00,BY-1,100",
    "E02,order,checked,2026-05-05T09:30:00,BY-1,0.5",
    ",order,closed,2026-05-05T23:59:59+08:00,BY-2,",
]


def clock() -> datetime:
    return NOW


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(rows: list[str] = ROWS, header: str = HEADER, name: str = "orders.csv") -> Path:
        target = tmp_path / name
        target.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return target

    return write


def imported(path: Path, place: Organization, *, earn: bool = False, mapping: Mapping = MAPPING) -> ImportRun:
    run = begin_import(file=path, file_name=path.name, organization=place, by=EVERYTHING, now=NOW)
    run = map_import(run=run, mapping=mapping, earn=earn, by=EVERYTHING, now=NOW)
    queue_import(run=run, by=EVERYTHING, now=NOW)
    return run_import(run_id=run.pk, clock=clock)


def counts(run: ImportRun) -> tuple[int, int, int, int]:
    return run.rows, run.new, run.replayed, run.rejected


def test_rows_become_events_with_person_place_and_facts(cast: Cast, file: Callable[..., Path]) -> None:
    run = imported(file(), cast.beiyuan)
    assert (run.state, counts(run)) == (ImportState.DONE, (4, 4, 0, 0))
    first = Event.objects.filter(name="order.checked").select_related("identity__person").get()
    assert first.happened_at == datetime(2026, 5, 5, 1, 30, tzinfo=UTC)
    assert (first.object, first.facts, first.history_only) == ("BY-1", {"amount": first.facts["amount"]}, True)
    assert str(first.facts["amount"]) == "0.5"
    assert first.company == cast.beiyuan
    assert first.identity is not None
    assert first.identity.person is not None
    assert first.identity.external_id == "E02"
    closed = Event.objects.get(name="order.closed")
    assert closed.identity is None, "a row without a person was done by nobody"
    assert closed.facts == {}


def test_rows_equal_in_every_mapped_column_are_separate_events(cast: Cast, file: Callable[..., Path]) -> None:
    run = imported(file(), cast.beiyuan)
    assert run.new == 4
    assert Event.objects.filter(name="order.made", happened_at=datetime(2026, 5, 4, 1, tzinfo=UTC)).count() == 2


@pytest.mark.parametrize(
    "again",
    [
        (ROWS, HEADER, "orders.csv"),
        (ROWS, HEADER, "another name.csv"),
        (list(reversed(ROWS)), HEADER, "reversed.csv"),
        ([row + ",note" for row in ROWS], HEADER + ",remark", "one more column that is not mapped.csv"),
    ],
)
def test_a_second_import_changes_nothing(cast: Cast, file: Callable[..., Path], again: tuple[Any, ...]) -> None:
    imported(file(), cast.beiyuan)
    before = (Event.objects.count(), Person.objects.count(), Identity.objects.count(), Connection.objects.count())
    run = imported(file(*again), cast.beiyuan)
    assert counts(run) == (4, 0, 4, 0)
    assert (
        Event.objects.count(),
        Person.objects.count(),
        Identity.objects.count(),
        Connection.objects.count(),
    ) == before


def test_a_longer_file_brings_only_what_is_new(cast: Cast, file: Callable[..., Path]) -> None:
    imported(file(), cast.beiyuan)
    run = imported(file([*ROWS, ROWS[0], "E03,order,made,2026-05-06T09:00:00,BY-3,1"]), cast.beiyuan)
    assert counts(run) == (6, 2, 4, 0), "a third equal row is a third event"


def test_the_same_rows_in_another_format_are_the_same_events(
    cast: Cast, file: Callable[..., Path], tmp_path: Path
) -> None:
    imported(file(), cast.beiyuan)
    lines = [dict(zip(HEADER.split(","), row.split(","), strict=True)) for row in ROWS]
    other = tmp_path / "orders.ndjson"
    other.write_text("\n".join(json.dumps(line) for line in lines))
    assert counts(imported(other, cast.beiyuan)) == (4, 0, 4, 0)


def test_an_undone_import_counts_no_more_and_can_be_imported_again(cast: Cast, file: Callable[..., Path]) -> None:
    first = imported(file(ROWS[:3]), cast.beiyuan)
    second = imported(file(), cast.beiyuan)
    undo_import(run=second, by=EVERYTHING, now=NOW)
    assert Event.objects.standing().count() == 3, "only what the second import brought is taken back"
    undo_import(run=first, by=EVERYTHING, now=NOW)
    undo_import(run=first, by=EVERYTHING, now=NOW)
    assert Event.objects.standing().count() == 0
    assert Event.objects.count() == 4, "nothing is deleted"
    assert AuditEntry.objects.filter(deed="import.undone").count() == 2
    assert counts(imported(file(), cast.beiyuan)) == (4, 4, 0, 0)
    assert counts(imported(file(), cast.beiyuan)) == (4, 0, 4, 0)
    assert Event.objects.standing().count() == 4


def test_only_an_import_that_ran_can_be_undone(cast: Cast, file: Callable[..., Path]) -> None:
    run = begin_import(file=file(), file_name="f", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    with pytest.raises(NothingToUndo):
        undo_import(run=run, by=EVERYTHING, now=NOW)


BAD = [
    "E01,order,made,yesterday,BY-1,100",
    "E01,order,made,,BY-1,100",
    "E01,,,2026-05-04T09:00:00,BY-1,100",
    "E01,order,made,2026-05-04T09:00:00,BY-1,many",
    f"{'x' * 300},order,made,2026-05-04T09:00:00,BY-1,1",
    "E01,order,made,2026-05-04T09:00:00,BY-1,100,more",
]
WHY = {
    "not_a_time": 1,
    "time_missing": 1,
    "name_missing": 1,
    "not_a_number": 1,
    "too_long": 1,
    "too_many_cells": 1,
}


def test_bad_rows_are_rejected_with_their_number_and_reason_and_the_rest_goes_in(
    cast: Cast, file: Callable[..., Path]
) -> None:
    run = imported(file([*BAD, *ROWS]), cast.beiyuan)
    assert counts(run) == (10, 4, 0, 6)
    assert run.reasons == WHY
    assert run.errors[0] == [2, "not_a_time", "time", "yesterday"]
    assert [error[0] for error in run.errors] == [2, 3, 4, 5, 6, 7]


def test_characters_that_are_no_text_reject_their_row(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "odd.ndjson"
    path.write_text('{"event": "a\\u0000b", "time": "2026-05-04"}\n{"event": "a", "time": "2026-05-04"}\n')
    run = imported(path, cast.beiyuan, mapping=Mapping(name=("event",), time="time"))
    assert (counts(run), run.reasons) == ((2, 1, 0, 1), {"broken_text": 1})


def test_the_list_of_errors_is_bounded_and_the_count_is_not(
    cast: Cast, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "MOST_ERRORS", 3)
    run = imported(file(BAD), cast.beiyuan)
    assert (len(run.errors), run.rejected) == (3, 6)


def test_control_totals_are_those_of_the_file(cast: Cast, file: Callable[..., Path]) -> None:
    totals = imported(file(), cast.beiyuan).totals
    assert totals == {
        "with_person": 3,
        "by_nobody": 1,
        "people": 2,
        "objects": 2,
        "first_at": "2026-05-04T01:00:00+00:00",
        "last_at": "2026-05-05T15:59:59+00:00",
        "sums": {"amount": "200.5"},
        "names": [["order.made", 2], ["order.checked", 1], ["order.closed", 1]],
        "names_in_all": 3,
    }


def everything() -> list[int]:
    return [
        model.objects.count()
        for model in (Event, Batch, Connection, Identity, Person, Organization, AuditEntry, ImportRun, Quarantine)
    ]


def test_a_dry_run_says_what_an_import_would_and_writes_nothing(cast: Cast, file: Callable[..., Path]) -> None:
    imported(file(ROWS[:2]), cast.beiyuan)
    before = everything()
    table = open_table(file([*ROWS, *BAD]))
    tried = try_rows(table=table, mapping=MAPPING, place=lambda: cast.beiyuan, earn=False, now=NOW)
    assert everything() == before
    outcome = tried.outcome
    assert (outcome.rows, outcome.new, outcome.replayed, outcome.rejected) == (10, 2, 2, 6)
    assert tried.complete
    assert tried.totals["people"] == 2
    assert outcome.reasons == WHY


def test_a_preview_says_what_the_first_rows_will_become(cast: Cast, file: Callable[..., Path]) -> None:
    run = begin_import(file=file(), file_name="f", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    run = map_import(run=run, mapping=MAPPING, earn=False, by=EVERYTHING, now=NOW)
    run = preview_import(run=run, by=EVERYTHING, now=NOW)
    assert run.state == ImportState.PREVIEWED
    assert run.preview is not None
    assert (run.preview["new"], run.preview["complete"]) == (4, True)
    assert run.preview["samples"][0]["event"] == "order.made"
    assert Event.objects.count() == 0


def test_an_import_goes_on_where_it_was_stopped_and_counts_every_row_once(
    cast: Cast, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "CHUNK_ROWS", 2)
    rows = [*ROWS, ROWS[0], "E03,order,made,2026-05-06T09:00:00,BY-3,1"]
    run = begin_import(file=file(rows), file_name="f", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    run = map_import(run=run, mapping=MAPPING, earn=False, by=EVERYTHING, now=NOW)
    queue_import(run=run, by=EVERYTHING, now=NOW)

    class PowerCut(BaseException):
        pass

    def cut(going: ImportRun) -> None:
        if going.rows == 4:
            raise PowerCut

    with pytest.raises(PowerCut):
        run_import(run_id=run.pk, clock=clock, tell=cut)
    assert run_waiting_imports(clock=clock) == 0, "its runner may still be alive"
    assert run_waiting_imports(clock=lambda: NOW + running.SILENT * 2) == 1
    run.refresh_from_db()
    assert (run.state, counts(run), run.attempt) == (ImportState.DONE, (6, 6, 0, 0), 2)
    assert run.totals["with_person"] == 5
    assert run.totals["sums"] == {"amount": "301.5"}
    assert Event.objects.standing().count() == 6


def test_a_runner_that_lost_its_import_writes_nothing_more(cast: Cast, file: Callable[..., Path]) -> None:
    run = begin_import(file=file(), file_name="f", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    run = map_import(run=run, mapping=MAPPING, earn=False, by=EVERYTHING, now=NOW)
    queue_import(run=run, by=EVERYTHING, now=NOW)
    slow = running._take_up(run.pk, NOW)
    assert run_waiting_imports(clock=lambda: NOW + running.SILENT * 2) == 1
    with pytest.raises(running.TakenOver):
        running._run(slow, clock, None)
    assert Event.objects.count() == 4
    with pytest.raises(NotRunnable):
        run_import(run_id=run.pk, clock=clock)


def test_a_file_that_breaks_off_ends_as_failed_with_its_row_and_keeps_what_it_brought(
    cast: Cast, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(file(ROWS[:1]), cast.beiyuan)  # the mapping is remembered, so the next file is not looked through first
    monkeypatch.setattr(settle, "CHUNK_ROWS", 2)
    run = imported(file([*ROWS, '"never closed,order']), cast.beiyuan)
    assert run.state == ImportState.FAILED
    assert run.failure is not None
    assert (run.failure["code"], run.failure["row"]) == ("broken_quotes", 6)
    assert (counts(run), Event.objects.count()) == ((4, 3, 1, 0), 4)
    undo_import(run=run, by=EVERYTHING, now=NOW)
    assert Event.objects.standing().count() == 1


def test_a_kept_file_that_is_gone_and_a_paused_source_end_the_import_with_their_reason(
    cast: Cast, file: Callable[..., Path]
) -> None:
    done = imported(file(), cast.beiyuan)
    run = begin_import(file=file(), file_name="f", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    run = map_import(run=run, mapping=MAPPING, earn=False, by=EVERYTHING, now=NOW)
    queue_import(run=run, by=EVERYTHING, now=NOW)
    assert done.connection is not None
    pause(connection=done.connection, by=EVERYTHING, now=NOW)
    run = run_import(run_id=run.pk, clock=clock)
    assert run.failure == {"code": "source_paused", "row": None, "detail": ""}
    kept_file(run).unlink()
    queue_import(run=run, by=EVERYTHING, now=NOW)
    run = run_import(run_id=run.pk, clock=clock)
    assert run.failure is not None
    assert run.failure["code"] == "file_gone"


def test_history_never_waits_in_quarantine_and_old_events_that_earn_do_not_either(
    cast: Cast, file: Callable[..., Path]
) -> None:
    old = ["E01,order,made,2012-05-04T09:00:00,BY-1,100"]
    future = ["E01,order,made,2027-05-04T09:00:00,BY-1,100"]
    assert imported(file(old), cast.beiyuan, earn=True).quarantined == 0
    run = imported(file(future), cast.beiyuan, earn=True)
    assert (run.new, run.quarantined, run.reasons) == (1, 1, {"future": 1})
    assert imported(file(future), cast.qinghe).quarantined == 0


def test_rows_that_stand_as_history_are_not_stored_again_to_earn(cast: Cast, file: Callable[..., Path]) -> None:
    history = imported(file(), cast.beiyuan)
    run = imported(file(), cast.beiyuan, earn=True)
    assert (counts(run), run.reasons) == ((4, 0, 0, 4), {"stands_as_history": 4})
    undo_import(run=history, by=EVERYTHING, now=NOW)
    assert counts(imported(file(), cast.beiyuan, earn=True)) == (4, 4, 0, 0)
    assert set(Event.objects.standing().values_list("history_only", flat=True)) == {False}


def test_a_file_of_the_park_names_its_companies_by_slug_or_name(cast: Cast, file: Callable[..., Path]) -> None:
    header = "company,event,time"
    rows = [
        f"{cast.beiyuan.slug},seen,2026-05-04",
        f"{cast.qinghe.name.upper()},seen,2026-05-04",
        "Nobody's,seen,2026-05-04",
        ",seen,2026-05-05",
    ]
    mapping = Mapping(name=("event",), time="time", company="company")
    run = imported(file(rows, header), cast.park, mapping=mapping)
    assert (counts(run), run.reasons) == ((4, 3, 0, 1), {"unknown_company": 1})
    found = Event.objects.order_by("company__slug").values_list("company__slug", flat=True)
    assert set(found) == {cast.beiyuan.slug, cast.qinghe.slug, None}
    below = imported(file([f"{cast.qinghe.slug},seen,2026-05-04"], header), cast.beiyuan, mapping=mapping)
    assert below.reasons == {"unknown_company": 1}, "a company beside the place is not known there"


def test_a_person_known_by_mail_or_staff_number_is_found(cast: Cast, file: Callable[..., Path]) -> None:
    Person.objects.filter(pk=cast.lin.pk).update(staff_number="4711")
    people = Person.objects.count()
    imported(file([f"{cast.lin.email.upper()},seen,2026-05-04"], "who,event,time"), cast.beiyuan, mapping=who("id"))
    imported(file(["4711,seen,2026-05-05"], "who,event,time"), cast.beiyuan, mapping=who("staff_number"))
    assert Person.objects.count() == people
    assert set(Event.objects.values_list("identity__person", flat=True)) == {cast.lin.pk}


def who(person_is: str) -> Mapping:
    return Mapping(name=("event",), time="time", person="who", person_is=person_is)


def test_a_mapping_is_remembered_for_its_header_and_place(cast: Cast, file: Callable[..., Path]) -> None:
    imported(file(), cast.beiyuan)
    other = [row.replace("BY", "CY") for row in ROWS]
    run = begin_import(file=file(other), file_name="f", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    assert run.mapping == MAPPING.as_json()
    elsewhere = begin_import(file=file(other), file_name="f", organization=cast.qinghe, by=EVERYTHING, now=NOW)
    assert elsewhere.mapping != MAPPING.as_json(), "Qinghe learns nothing from Beiyuan"
    assert RememberedMapping.objects.count() == 1


@pytest.mark.parametrize(
    ("mapping", "code", "column"),
    [
        (Mapping(name=("event",), time="when"), "unknown_column", "when"),
        (Mapping(name=(), time="time"), "name_not_mapped", ""),
        (Mapping(name=("event",), time=""), "time_not_mapped", ""),
        (Mapping(name=("event",), time="time", zone="Mars/Base"), "unknown_zone", "Mars/Base"),
        (
            Mapping(name=("event",), time="time", properties=(Property("a", "amount", "money"),)),
            "unknown_type",
            "amount",
        ),
        (
            Mapping(name=("event",), time="time", properties=(Property("a", "amount"), Property("a", "order"))),
            "property_twice",
            "amount",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_by_name(
    cast: Cast, file: Callable[..., Path], mapping: Mapping, code: str, column: str
) -> None:
    run = begin_import(file=file(), file_name="f", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    with pytest.raises(UnfitMapping) as refusal:
        map_import(run=run, mapping=mapping, earn=False, by=EVERYTHING, now=NOW)
    assert (refusal.value.code, refusal.value.column) == (code, column)


def test_an_import_that_ran_keeps_its_mapping(cast: Cast, file: Callable[..., Path]) -> None:
    run = imported(file(), cast.beiyuan)
    with pytest.raises(TooLate):
        map_import(run=run, mapping=MAPPING, earn=True, by=EVERYTHING, now=NOW)
    with pytest.raises(TooLate):
        queue_import(run=run, by=EVERYTHING, now=NOW)


def test_an_unreadable_file_leaves_nothing_behind(cast: Cast, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gz"
    bad.write_bytes(b"\x1f\x8bbroken")
    from uptake.connectors.files.begin_import import imports_folder

    before = sorted(imports_folder().iterdir())
    with pytest.raises(UnreadableFile):
        begin_import(file=bad, file_name="bad.gz", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    assert ImportRun.objects.count() == 0
    assert sorted(imports_folder().iterdir()) == before


def test_only_who_manages_the_data_of_a_place_imports_there(cast: Cast, file: Callable[..., Path]) -> None:
    def viewer(person: Person) -> Viewer:
        return viewer_of(cast.login(person), today=NOW.date())

    for person in (cast.mo, cast.hua, cast.wei, cast.lin):
        with pytest.raises(NotAllowed):
            begin_import(file=file(), file_name="f", organization=cast.beiyuan, by=viewer(person), now=NOW)
    run = begin_import(file=file(), file_name="f", organization=cast.beiyuan, by=viewer(cast.ren), now=NOW)
    for person in (cast.mo, cast.hua, cast.wei, cast.lin):
        assert not ImportRun.objects.visible_to(viewer(person)).exists()
        with pytest.raises(NotAllowed):
            map_import(run=run, mapping=MAPPING, earn=False, by=viewer(person), now=NOW)
        with pytest.raises(NotAllowed):
            undo_import(run=run, by=viewer(person), now=NOW)
    assert ImportRun.objects.visible_to(viewer(cast.ren)).get() == run
