"""Figures of the business come by file: looked through, taken, said again, withdrawn, and used like any metric."""

from __future__ import annotations

import html
import io
import re
from datetime import timedelta

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from uptake.insight.impact.business_series import figures_of
from uptake.insight.impact.metrics import Measure, Metric
from uptake.insight.impact.models import Intervention, Series, SeriesVersion
from uptake.insight.impact.panel_of_departments import department_panel
from uptake.web.pages.impact.tests.test_impact_pages import read

pytestmark = pytest.mark.django_db


def taken(client: Client, page: str, content: bytes, name: str = "sales.csv") -> str:
    """The preview of a file, which is then taken."""
    looked = client.post(page, {"file": SimpleUploadedFile(name, content)}).content.decode()
    rows = re.search(r"<textarea[^>]*>(.*?)</textarea>", looked, re.DOTALL)
    assert rows is not None
    assert client.post(page, {"confirm": "yes", "rows": html.unescape(rows[1])}).status_code in (302, 422)
    return looked


def test_figures_are_looked_through_taken_and_withdrawn(cast: Cast) -> None:
    hua, mo, shu = (cast.sign_in(one) for one in (cast.hua, cast.mo, cast.shu))
    page = hua.post("/impact/series/", {"name": "Turnover", "unit": "CNY", "place": cast.beiyuan.slug})["Location"]
    today = timezone.localdate()
    day, later = today - timedelta(days=9), (today + timedelta(days=30)).isoformat()
    first = (
        f"date,department,value\n{day},{cast.purchasing.slug},10\n{day},{cast.finance.name},20.5\n{day},,7\n"
        f"no day,,1\n{day},,many\n{day},{cast.dyeing.slug},1\n{later},,1\n{day},{cast.purchasing.slug},11\n"
    ).encode()

    looked = taken(hua, page, first)
    book = openpyxl.Workbook()
    sheet = book.create_sheet(index=0)
    book.active = 0
    sheet.append(["日期", "部门", "数值"])
    sheet.append([day, cast.purchasing.name, 12])
    stream = io.BytesIO()
    book.save(stream)
    taken(hua, page, stream.getvalue(), "sales.xlsx")

    series = Series.objects.get()
    for why in ("cannot be read", "is no number", "no such place", "in the future", "in the file already"):
        assert why in looked
    assert "37.50" in looked
    assert cast.dyeing.name not in looked
    assert figures_of(series)[cast.purchasing.slug] == {day: 12}
    assert figures_of(series)[cast.finance.slug] == {day: 20.5}
    metric = Metric("", Measure.SERIES, str(series.pk))
    panel = department_panel({cast.purchasing.slug: None}, metric=metric, first=day, last=day)
    assert panel is not None
    assert panel.outcome.tolist() == [[12.0]]
    latest = SeriesVersion.objects.order_by("pk").last()
    assert latest is not None
    for _again in range(2):
        assert hua.post(f"{page}{latest.pk}/withdraw/").status_code == 302
    assert figures_of(series)[cast.purchasing.slug] == {day: 10}
    assert "Withdrawn" in read(hua, page)
    assert "Turnover" in read(shu, "/impact/series/")
    assert shu.post(page, {"confirm": "yes", "rows": "[]"}).status_code == 403
    assert shu.post(f"{page}{latest.pk}/withdraw/").status_code == 403
    assert "Turnover" not in read(mo, "/impact/series/", status=mo.get("/impact/series/").status_code)
    assert {mo.get(page).status_code, mo.post(f"{page}{latest.pk}/withdraw/").status_code} <= {403, 404}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"day;x\n2026-01-01;3\n", "The first line needs headings"),
        (b"", ""),
        (b"date,value\n" + b"2026-01-01,1\n" * 5001, "too long"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(cast: Cast, content: bytes, said: str) -> None:
    hua = cast.sign_in(cast.hua)
    page = hua.post("/impact/series/", {"name": "Turnover", "place": cast.beiyuan.slug})["Location"]

    answer = hua.post(page, {"file": SimpleUploadedFile("x.csv", content)})

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert hua.post("/impact/series/", {"name": "Turnover", "place": cast.beiyuan.slug}).status_code == 422
    assert hua.post(page, {"confirm": "yes", "rows": "[]"}).status_code == 422
    assert not SeriesVersion.objects.exists()


def test_a_series_is_chosen_in_the_form_and_only_where_it_belongs(cast: Cast) -> None:
    hua, mo = cast.sign_in(cast.hua), cast.sign_in(cast.mo)
    hua.post("/impact/series/", {"name": "Turnover", "place": cast.beiyuan.slug})
    chosen = f"series:{Series.objects.get().pk}"
    start = timezone.localdate() + timedelta(days=4)
    form = {
        "title": "Points", "kind": "points", "chosen": "random", "event": "", "smallest": "5",
        "until": (start + timedelta(days=60)).isoformat(), "event-0": chosen, "use-0": "decides", "smallest-0": "3",
        f"take-{cast.purchasing.slug}": "on", f"start-{cast.purchasing.slug}": start.isoformat(),
    }  # fmt: skip

    assert chosen in read(hua, f"/impact/new/?at={cast.beiyuan.slug}")
    page = hua.post(f"/impact/new/?at={cast.beiyuan.slug}", form)["Location"]

    assert "Turnover" in read(hua, page)
    assert Intervention.objects.get().plan["metrics"][1]["of"] == chosen.removeprefix("series:")
    stranger = {"take-" + cast.dyeing.slug: "on", "start-" + cast.dyeing.slug: start.isoformat()}
    asked = mo.post(f"/impact/new/?at={cast.qinghe.slug}", {**form, **stranger})
    assert asked.status_code in (403, 404, 422)
    assert Intervention.objects.count() == 1
