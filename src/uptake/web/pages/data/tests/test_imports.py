"""The wizard leads a file from the upload to its events and back, and says what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.cast import NOW, Cast
from uptake.connectors.files.run_import import run_waiting_imports
from uptake.connectors.models import ImportRun, ImportState
from uptake.events.models import Event
from uptake.web.pages.data.tests.test_connections import manages_beiyuan, signed_in

TEXT = """工号,操作,时间,单号,金额
E01,订单审核,2026-05-04 09:00,BY-1,100
E02,入库过账,2026-05-05 09:30,BY-2,=1+1
,订单关闭,2026-05-05 10:00,BY-1,3
"""


@pytest.fixture
def ren(cast: Cast) -> Client:
    return signed_in(cast, cast.ren)


def uploaded(client: Client, cast: Cast, content: bytes = TEXT.encode("gb18030"), **headers: str) -> Any:
    file = SimpleUploadedFile("日志.csv", content)
    return client.post(reverse("data:upload"), {"file": file, "place": cast.beiyuan.slug}, headers=headers)


def mapped(client: Client, run: ImportRun, **more: str) -> Any:
    said = {
        "name": ["操作"],
        "time": "时间",
        "person": "工号",
        "person_is": "id",
        "object": "单号",
        "zone": "Asia/Shanghai",
        "keep-4": "1",
        "fact-4": "amount",
        "type-4": "number",
        **more,
    }
    return client.post(reverse("data:import_mapping", args=[run.pk]), said)


def page(client: Client, run: ImportRun, query: str = "") -> str:
    return client.get(reverse("data:import", args=[run.pk]) + query).text


def test_a_file_goes_from_upload_over_columns_and_check_to_its_events_and_back(ren: Client, cast: Cast) -> None:
    uploaded(ren, cast)
    run = ImportRun.objects.get()
    assert (run.notes["encoding"], run.organization) == ("gb18030", cast.beiyuan)
    first = page(ren, run)
    assert "<option selected>工号</option>" in first
    assert "2026-05-04 09:00" in first
    assert mapped(ren, run)["Location"].endswith("?step=check")
    assert 'hx-trigger="load, submit"' in page(ren, run, "?step=check")
    ren.post(reverse("data:import_check", args=[run.pk]))
    assert not Event.objects.exists()
    checked = page(ren, run, "?step=check")
    assert "Not a number" in checked
    assert "订单审核" in checked
    assert "Import as history" in checked
    ren.post(reverse("data:import_start", args=[run.pk]))
    assert "Waits for its turn" in page(ren, run)
    assert "Waits for its turn" in ren.get(reverse("data:import_progress", args=[run.pk])).text
    run_waiting_imports(clock=lambda: NOW)
    assert ren.get(reverse("data:import_progress", args=[run.pk]))["HX-Refresh"] == "true"
    done = page(ren, run)
    run.refresh_from_db()
    assert (run.new, run.rejected) == (2, 1)
    assert "Control totals" in done
    assert "history only" in done
    errors = ren.get(reverse("data:import_errors", args=[run.pk]))
    assert errors["Content-Type"].startswith("text/csv")
    assert "3,Not a number,金额,'=1+1" in errors.content.decode("utf-8-sig"), "a cell never becomes a formula"
    ren.post(reverse("data:import_undo", args=[run.pk]))
    assert not Event.objects.standing().exists()
    assert "Undone on" in page(ren, run)
    assert "日志.csv" in ren.get(reverse("data:imports")).text


def test_earning_points_is_chosen_and_said(ren: Client, cast: Cast) -> None:
    uploaded(ren, cast)
    run = ImportRun.objects.get()
    mapped(ren, run, earn="yes")
    ren.post(reverse("data:import_check", args=[run.pk]))
    assert "Import and earn points" in page(ren, run, "?step=check")
    ren.post(reverse("data:import_start", args=[run.pk]))
    run_waiting_imports(clock=lambda: NOW)
    assert set(Event.objects.values_list("history_only", flat=True)) == {False}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Choose a file"),
        (b"PK\x03\x04broken", "cannot be opened"),
        (b'a,b\n1,"x', "Row 2: A quotation mark is not closed"),
        (b"when,who,what\n", "a header and no rows"),
        (b"<!DOCTYPE a><log/>", "declares a document type"),
    ],
)
def test_a_file_that_cannot_be_read_is_answered_with_the_reason(
    ren: Client, cast: Cast, content: bytes, sentence: str
) -> None:
    answer = uploaded(ren, cast, content)
    assert answer["Location"] == reverse("data:imports")
    assert sentence in ren.get(answer["Location"]).text
    assert not ImportRun.objects.exists()


def test_a_file_beyond_the_limit_is_refused(ren: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uptake.web.pages.data.imports.MOST_MEGABYTES", 0)
    uploaded(ren, cast)
    assert not ImportRun.objects.exists()
    assert "larger than 0 MB" in ren.get(reverse("data:imports")).text


def test_htmx_is_led_by_its_own_header(ren: Client, cast: Cast) -> None:
    answer = uploaded(ren, cast, TEXT.encode(), **{"HX-Request": "true"})
    assert answer["HX-Redirect"] == reverse("data:import", args=[ImportRun.objects.get().pk])


def test_a_mapping_that_does_not_fit_is_shown_again_with_the_reason(ren: Client, cast: Cast) -> None:
    uploaded(ren, cast)
    run = ImportRun.objects.get()
    answer = mapped(ren, run, time="", zone="Mars/Base")
    assert answer.status_code == 422
    assert "Choose the column of the time." in answer.text
    assert "Mars/Base" in answer.text, "what was typed is kept"


def test_a_failed_import_can_go_on(ren: Client, cast: Cast) -> None:
    uploaded(ren, cast)
    run = ImportRun.objects.get()
    mapped(ren, run)
    ImportRun.objects.filter(pk=run.pk).update(
        state=ImportState.FAILED, failure={"code": "source_paused", "row": None, "detail": ""}
    )
    assert "is paused" in page(ren, run)
    ren.post(reverse("data:import_start", args=[run.pk]))
    run_waiting_imports(clock=lambda: NOW)
    run.refresh_from_db()
    assert run.state == ImportState.DONE


def test_a_file_known_already_is_said_before_it_is_imported(ren: Client, cast: Cast) -> None:
    for _time in range(2):
        uploaded(ren, cast)
        run = ImportRun.objects.latest("pk")
        mapped(ren, run, **{"fact-4": f"amount{_time}"})
        if not _time:
            ren.post(reverse("data:import_start", args=[run.pk]))
            run_waiting_imports(clock=lambda: NOW)
    assert "imported before with other columns" in page(ren, run, "?step=check")


def test_nobody_reaches_an_import_of_a_place_whose_data_they_do_not_manage(ren: Client, cast: Cast) -> None:
    file = SimpleUploadedFile("f.csv", TEXT.encode())
    ren.post(reverse("data:upload"), {"file": file, "place": cast.qinghe.slug})
    run = ImportRun.objects.get()
    manages_beiyuan(cast, cast.ke)
    ke = signed_in(cast, cast.ke)
    assert "f.csv" not in ke.get(reverse("data:imports")).text
    for name in ("import", "import_progress", "import_errors"):
        assert ke.get(reverse(f"data:{name}", args=[run.pk])).status_code == 404
    for name in ("import_mapping", "import_check", "import_start", "import_undo"):
        assert ke.post(reverse(f"data:{name}", args=[run.pk])).status_code == 404
    file.seek(0)
    assert ke.post(reverse("data:upload"), {"file": file, "place": cast.qinghe.slug}).status_code == 404
    assert signed_in(cast, cast.hua).post(reverse("data:upload")).status_code == 403
