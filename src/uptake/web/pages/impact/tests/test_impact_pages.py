"""Interventions are registered, locked and read by the pages; those of other companies are not known."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import openpyxl
import pypdf
import pytest
from django.test import Client
from django.utils import timezone, translation

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import Kind, Organization, Person
from uptake.directory.scope import EVERYTHING
from uptake.events.models import EventType
from uptake.insight.impact.drawn_people import sides_of
from uptake.insight.impact.evaluate import evaluate
from uptake.insight.impact.metrics import Measure, Metric
from uptake.insight.impact.models import Intervention
from uptake.insight.impact.register import lock
from uptake.insight.impact.tests.test_drawn_by_lot import drawn, work_of
from uptake.insight.impact.tests.test_interventions import BEFORE, DAYS, START, registered, shops, work
from uptake.insight.report.models import SelfTest, ShareLink
from uptake.insight.report.points_given import points_given
from uptake.insight.report.run_self_tests import ask_for_self_tests
from uptake.statistics.lint import linted
from uptake.statistics.result import Grade
from uptake.web.pages.impact import planner, sharing, words
from uptake.web.pages.impact.lasting import lasting_of
from uptake.web.pages.impact.measures import side_by_side
from uptake.web.pages.impact.three import three_of

pytestmark = pytest.mark.django_db


def read(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code == status, address
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_manager_registers_looks_at_the_gate_and_locks(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)
    EventType.objects.create(name="order.created", label_en="Order entered", created_at=BEFORE)
    start = timezone.localdate() + timedelta(days=5)
    address = f"/impact/new/?at={cast.beiyuan.slug}"
    form = {
        "title": "Points for orders", "kind": "points", "chosen": "random", "event": "order.created",
        "smallest": "5", "until": (start + timedelta(days=60)).isoformat(), "guardrail": "order.created", "margin": "2",
        "event-0": "order.created", "measure-0": "per_head", "of-0": "order.created", "smallest-0": "0.5",
        "event-1": "named:active", "use-1": "rail", "smallest-1": "3",
        "look-0": (start + timedelta(days=9)).isoformat(),
        "event-2": "order.created", "use-2": "outcome", "smallest-2": "4", "good-2": "lower",
        "event-3": "order.created", "use-3": "decides", "measure-3": "per_head", "smallest-3": "2",
        f"take-{cast.purchasing.slug}": "on", f"start-{cast.purchasing.slug}": start.isoformat(),
        f"take-{cast.finance.slug}": "on", f"start-{cast.finance.slug}": "",
    }  # fmt: skip

    assert "Nothing was registered yet" in read(hua, "/impact/")
    assert "Order entered" in read(hua, address)
    for wrong, words_ in (
        ({"smallest": "many"}, "percentage points"),
        ({"until": ""}, "The end must lie"),
        ({"title": ""}, "Give it a title"),
        ({"measure-0": "ratio"}, "the two must differ"),
        ({"look-0": (start + timedelta(days=99)).isoformat()}, "between the first start and the end"),
        ({"event-1": "named:tasks_done"}, "Choose an event of the catalogue"),
        ({f"start-{cast.purchasing.slug}": ""}, "at least one department begins"),
    ):
        refused = hua.post(address, {**form, **wrong})
        assert (refused.status_code, words_ in refused.content.decode()) == (422, True), wrong
    page = hua.post(address, form)["Location"]
    assert "too little history" in read(hua, page)
    assert hua.post(page, {"what": "lock"}).status_code == 302
    assert hua.post(page, {"what": "lock"}).status_code == 422
    assert hua.post(page, {"what": "evaluate"}).status_code == 422

    made = Intervention.objects.get()
    text = read(hua, page)
    assert made.hash in text
    assert "It has not begun yet" in text
    assert made.plan["others"][0]["smallest"] == "0.5"
    assert made.plan["guardrails"][1] == {"event": "", "named": "active", "margin": "0.03", "direction": "higher"}
    assert made.plan["outcome"] == {"event": "order.created", "smallest": "0.04", "direction": "lower"}
    assert [one["smallest"] for one in made.plan["metrics"]] == ["0.05", "2"]
    assert made.plan["looks"] == [(start + timedelta(days=9)).isoformat()]
    assert "Each person a working day: Order entered" in text
    assert 'id="impact-calendar"' in text
    assert hua.get(f"{page}report.pdf").status_code == 404
    assert made.starts == {cast.purchasing.slug: start.isoformat(), cast.finance.slug: None}
    assert "Points for orders" in read(hua, "/impact/")
    assert "Points for orders" in read(cast.sign_in(cast.shu), "/impact/")
    assert cast.sign_in(cast.shu).post(page, {"what": "lock"}).status_code == 403
    assert "Points for orders" not in read(cast.sign_in(cast.mo), "/impact/")
    mo = cast.sign_in(cast.mo)
    assert {mo.get(page + at).status_code for at in ("", "report.json", "report.pdf", "report.xlsx")} == {404}
    assert cast.sign_in(cast.lin).get("/impact/").status_code == 403


@pytest.mark.once
def test_an_order_of_departments_is_proposed_and_its_dates_filled_in(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "settings_at", lambda _place: SimpleNamespace(date_of=lambda _at: TODAY))
    starts = shops(cast)
    work(cast, starts, 0.0)
    hua = cast.sign_in(cast.hua)
    first = TODAY + timedelta(days=10)
    address = f"/impact/new/?at={cast.beiyuan.slug}"
    form = {
        "what": "propose", "title": "Points by and by", "event": "", "smallest": "8", "first": first.isoformat(),
        "waves": "2", "apart": "14", "until": "", **{f"take-{slug}": "on" for slug in starts},
    }  # fmt: skip

    page = hua.post(address, form)

    text = re.sub(r"\s+", " ", page.content.decode())
    filled = dict(re.findall(r'name="start-(shop-\d\d)" value="([^"]*)"', text))
    later = (first + timedelta(days=14)).isoformat()
    assert page.status_code == 200
    assert "found four times in five" in text
    assert 'value="Points by and by"' in text
    assert set(filled) == set(starts)
    assert sorted(filled.values()).count("") in range(2, 7)
    assert abs(list(filled.values()).count(first.isoformat()) - list(filled.values()).count(later)) <= 1
    assert set(filled.values()) == {"", first.isoformat(), later}
    assert not Intervention.objects.exists()
    for wrong, words_ in (
        ({"first": "2020-01-01"}, "must lie after today"),
        ({"until": first.isoformat()}, "the end after the last start"),
        ({"smallest": "0"}, "above 0 and up to 100"),
        ({"smallest": "many"}, "above 0 and up to 100"),
    ):
        refused = hua.post(address, {**form, **wrong})
        assert words_ in refused.content.decode(), wrong
        assert 'value="Points by and by"' in refused.content.decode()
    few = {name: value for name, value in form.items() if not name.startswith("take-shop-0")}
    assert "No order can be proposed" in hua.post(address, few).content.decode()
    dates = {f"start-{slug}": day for slug, day in filled.items()}
    last = {"what": "", "kind": "points", "until": (first + timedelta(days=70)).isoformat()}
    saved = hua.post(address, {**form, **last, **dates})
    assert saved.status_code == 302
    made = Intervention.objects.get()
    assert {slug: day or "" for slug, day in made.starts.items()} == filled


@pytest.mark.once
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_report_tells_the_verdict_the_checks_and_the_pictures(
    cast: Cast, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 39)
    starts = shops(cast)
    work(cast, starts, 0.2)
    EventType.objects.create(name="order.created", label_en="Order entered", created_at=BEFORE)
    EventType.objects.create(name="never.seen", created_at=BEFORE)
    others = [(Metric("order.created", Measure.PER_HEAD), 0.1), (Metric("never.seen"), 0.1)]
    made = lock(intervention=registered(cast, starts, others=others), by=EVERYTHING, now=BEFORE)
    told = evaluate(intervention=made, by=EVERYTHING, now=timezone.now())
    hua = cast.sign_in(cast.hua)
    hua.cookies["django_language"] = language

    text = read(hua, f"/impact/{made.pk}/")

    assert 'id="impact-course"' in text
    for picture in ("study", "forest", "placebo", "left-out", "calendar"):
        assert f'id="impact-{picture}"' in text
    assert {"en": "No effect 28 days too early", "zh-hans": "提前 28 天看不出效果"}[language] in text
    assert "PLACEBO_TIME" not in text
    assert (">区间下限<" if language == "zh-hans" else ">Low end<") in text
    assert hua.get(f"/impact/{made.pk}/report.json").content.decode() == told.text
    ask_for_self_tests(now=timezone.now())
    assert "hx-get" in read(hua, f"/impact/{made.pk}/self-test/")
    shares = {name: {"share": 0.5, "low": 0.4, "high": 0.6, "wanted": 0.2, "holds": False} for name in ("power",)}
    facts = {"drills": 100, "days": 60, "units": 12, "from": "2026-01-01", "to": "2026-03-01", "smallest": 0.05}
    alarms = {"share": 0.05, "low": 0.02, "high": 0.11, "wanted": 0.05, "holds": True}
    SelfTest.objects.update(state="done", facts={**facts, **shares, "false_alarms": alarms})
    page = read(hua, f"/impact/{made.pk}/")
    assert "hx-get" not in read(hua, f"/impact/{made.pk}/self-test/")
    if language == "en":
        assert page.count("The method often misses a change of this size here") == 2
        assert "5 of 100" in page
    assert hua.post(f"/impact/{made.pk}/cost/", {"amount": "1,000", "currency": "CNY"}).status_code == 302
    assert "CNY 1,000" in read(hua, f"/impact/{made.pk}/")
    printed = hua.get(f"/impact/{made.pk}/report.pdf").content
    assert printed.startswith(b"%PDF")
    said = " ".join(page_.extract_text() for page_ in pypdf.PdfReader(io.BytesIO(printed)).pages)
    assert not linted(said.replace("\n", " "), grade=Grade.B)
    assert ("相对" if language == "zh-hans" else "relative") in said
    assert printed == hua.get(f"/impact/{made.pk}/report.pdf").content
    book = openpyxl.load_workbook(io.BytesIO(hua.get(f"/impact/{made.pk}/report.xlsx").content))
    sheet = book.active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 4
    assert len(book.worksheets) == 5
    young = "天数太少" if language == "zh-hans" else "Too few days to say whether it lasts"
    assert young in text
    assert young in said
    assert {"en": "What this does not show", "zh-hans": "这份报告说明不了什么"}[language] in said
    if language == "en":
        assert re.search(r"Of every 100 people, “Active people a working day” has about 2\d more than", text)
        assert "Not measured, as nothing was recorded: " in text
        assert [str(row[6]) for row in rows[2:]] == ["Rose", "Not measured: no such event was recorded"]
        assert "It raised “Active people a working day”." in text
        assert re.search(r"\+\d+\.\d pp", text)
    assert DAYS > 90


@pytest.mark.once
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_who_really_began_is_said_beside_the_registration(
    cast: Cast, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 19)
    starts = shops(cast)
    work(cast, starts, 0.2)
    made = lock(intervention=registered(cast, starts), by=EVERYTHING, now=BEFORE)
    address = f"/impact/{made.pk}/began/"
    hua = cast.sign_in(cast.hua)
    hua.cookies["django_language"] = language
    evaluate(intervention=made, by=EVERYTHING, now=timezone.now())
    plain = read(hua, f"/impact/{made.pk}/")
    assert 'id="began"' not in plain
    late = {"department": ["shop-00", "shop-02"], "how": "on", "began_on": (START + timedelta(days=9)).isoformat()}

    refused = hua.post(address, {**late, "reason": "   "})
    assert refused.status_code == 422
    kept = refused.content.decode()
    assert kept.count(" checked") == 3
    assert f'value="{late["began_on"]}"' in kept
    wrongs: list[dict[str, object]] = [{"department": []}, {"department": ["elsewhere"]}, {"began_on": "soon"}]
    for wrong in wrongs:
        assert hua.post(address, {**late, "reason": "Training late", **wrong}).status_code == 422
    assert hua.post(address, {**late, "reason": "Training late"}).status_code == 302
    assert hua.post(address, {"department": "shop-04", "how": "never", "reason": "Closed"}).status_code == 302
    told = {"en": "Never", "zh-hans": "从未开始"}[language]
    assert "Training late" in read(hua, address)
    assert told in read(hua, address)
    asked_again = {"en": "Evaluate again", "zh-hans": "重新评估"}[language]
    assert asked_again in read(hua, f"/impact/{made.pk}/")

    evaluate(intervention=made, by=EVERYTHING, now=timezone.now())

    lines = {
        "en": (
            "Of 6 departments that were to begin, so many began as intended: 0.", "Began later: 2, by 9 days.",
            "Never began: 1.", "Nobody has said it yet of: 3.", "likely larger than told",
        ),
        "zh-hans": (
            "应开始的部门共 6 个", "推迟开始的有 2 个，推迟了 9 天", "从未开始的有 1 个", "很可能比这里所说的更大",
        ),
    }[language]  # fmt: skip
    page = read(hua, f"/impact/{made.pk}/")
    book = openpyxl.load_workbook(io.BytesIO(hua.get(f"/impact/{made.pk}/report.xlsx").content))
    sheets = " ".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
    printed = hua.get(f"/impact/{made.pk}/report.pdf").content
    paper = "".join(page_.extract_text() for page_ in pypdf.PdfReader(io.BytesIO(printed)).pages)
    for line in lines:
        assert line in page
        assert line in sheets
        assert re.sub(r"\s", "", line) in re.sub(r"\s", "", paper)
    assert asked_again not in page
    for grade in (Grade.B, Grade.C):
        assert not linted(" ".join(lines), grade=grade)
    shu, mo = cast.sign_in(cast.shu), cast.sign_in(cast.mo)
    assert shu.post(address, {**late, "reason": "Training late"}).status_code in (403, 404)
    assert mo.get(address).status_code in (403, 404)


@pytest.mark.once
def test_a_link_shows_one_report_without_a_login_and_no_more(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 19)
    starts = shops(cast)
    work(cast, starts, 0.2)
    made = lock(intervention=registered(cast, starts), by=EVERYTHING, now=BEFORE)
    evaluate(intervention=made, by=EVERYTHING, now=timezone.now())
    hua, nobody = cast.sign_in(cast.hua), Client()
    address = f"/impact/{made.pk}/links/"

    refused = hua.post(address, {"days": "400"})
    page = hua.post(address, {"days": "7", "label": "The board"}).content.decode()
    secret = re.search(r"/impact/shared/([^/<]+)/", page)
    assert secret is not None
    opened = nobody.get(f"/impact/shared/{secret[1]}/")

    text = opened.content.decode()
    assert refused.status_code == 422
    assert secret[1] not in read(hua, address)
    assert "The board" in read(hua, address)
    assert 'id="impact-course"' in text
    assert "u-side" not in text
    assert "P0" not in re.sub(r"<[^>]+>", " ", text).split()
    assert opened["Cache-Control"] == "no-store"
    assert opened["Referrer-Policy"] == "no-referrer"
    assert nobody.get(f"/impact/shared/{secret[1]}/report.pdf").content.startswith(b"%PDF")
    assert nobody.post(f"/impact/shared/{secret[1]}/").status_code == 405
    assert nobody.get("/impact/shared/x/").status_code == 404
    assert cast.sign_in(cast.mo).get(address).status_code == 404
    assert cast.sign_in(cast.shu).get(address).status_code == 403
    link = ShareLink.objects.get()
    assert hua.post(f"{address}{link.pk}/revoke/").status_code == 302
    assert nobody.get(f"/impact/shared/{secret[1]}/").status_code == 404
    assert [nobody.get("/impact/shared/x/").status_code for _ in range(40)].count(429) > 5
    sharing.forget()


def test_a_kept_sentence_has_a_true_minus() -> None:
    fields = {"metric": "", "low": "-2.6", "high": "1.2", "name": "on-time"}

    found = words.said({"pattern": "{metric}: {low} to {high}, {name}", "fields": fields}, "Orders")

    assert found == "Orders: −2.6 to 1.2, on-time"


@pytest.mark.once
@pytest.mark.parametrize(
    ("said", "sentence", "tone"),
    [
        ({"overall": "worked", "outcome": "increase"}, "It worked", "good"),
        ({"overall": "worked", "outcome": "increase", "sure": False}, "the cause is not established", "info"),
        ({"overall": "moved_only", "outcome": "no_meaningful_change", "divergence": True}, "work did not", "warn"),
        ({"overall": "gamed", "outcome": "increase", "gaming": "undone"}, "does not stand", "bad"),
        ({"overall": "cannot_tell", "outcome": None}, "Cannot tell", "warn"),
    ],
)
def test_the_three_are_told_together(cast: Cast, said: dict[str, object], sentence: str, tone: str) -> None:
    base = {"behaviour": "increase", "divergence": False, "gaming": "none", "sure": True}
    outcome = {"event": "order.created", "measure": "share", "direction": "lower", "result": {}}
    told = {"programme": {**base, **said}, "outcome": outcome if said["outcome"] else None}

    with translation.override("en"):
        found = three_of(told, "Active people")

    assert found is not None
    assert (sentence in found.sentence, found.tone) == (True, tone)
    words_ = dict(zip(("behaviour", "outcome", "gaming"), found.parts, strict=True))
    expected = {"increase": ("Rose", "bad"), "None": ("None was registered", "")}
    assert words_["outcome"][2:] == expected.get(str(said["outcome"]), ("No change that matters", ""))
    assert bool(found.note) == said.get("divergence", False)
    assert three_of({}, "") is None


def test_every_refusal_and_every_check_has_words() -> None:
    from uptake.insight.impact import refusals
    from uptake.statistics.wording import REASONS

    assert set(words.WORDS) == set(refusals.Refused.__subclasses__())
    assert set(words.CHECKS) >= set(REASONS)


@pytest.mark.once
def test_the_manager_of_a_company_sees_their_own_part_of_what_is_park_wide_and_nobody_elses(cast: Cast) -> None:
    starts = shops(cast)
    work(cast, starts, 0.2)
    foreign = Organization.objects.create(
        kind=Kind.DEPARTMENT, name="Heron hall", slug="heron-hall", parent=cast.qinghe, company=cast.qinghe,
        created_at=BEFORE,
    )  # fmt: skip
    Organization.objects.filter(pk=foreign.pk).update(path=f"{cast.qinghe.path}{foreign.pk}/")
    both = {**starts, "heron-hall": START}
    made = lock(
        intervention=registered(cast, both, organization=cast.park, title="Coaching all over"),
        by=EVERYTHING,
        now=BEFORE,
    )
    draft = registered(cast, both, organization=cast.park, title="Not yet decided")
    hua, mo, ren = (cast.sign_in(one) for one in (cast.hua, cast.mo, cast.ren))

    home, page = read(hua, "/impact/"), read(hua, f"/impact/{made.pk}/own/")

    assert f'href="/impact/{made.pk}/own/"' in home
    assert "Not yet decided" not in home
    assert "Shop 00" in page
    assert "Heron hall" not in page
    assert "Departments that began" in page
    shares = [float(one) for one in re.findall(r"(\d\d\.\d)%", page)]
    assert len(shares) == 4
    assert shares[1] - shares[0] > shares[3] - shares[2] + 10
    assert "Described only" in page
    assert "raised" not in page
    assert {hua.get(f"/impact/{one.pk}/{at}").status_code for one in (made, draft) for at in ("", "report.pdf")} == {
        404
    }
    assert hua.get(f"/impact/{draft.pk}/own/").status_code == 404
    other = mo.get(f"/impact/{made.pk}/own/")
    if other.status_code == 200:
        assert "Heron hall" in other.content.decode()
    assert "Shop 0" not in other.content.decode()
    assert "Park-wide, with departments of yours" not in read(ren, "/impact/")
    assert "Heron hall" in read(ren, f"/impact/{made.pk}/own/")
    assert cast.sign_in(cast.lin).get(f"/impact/{made.pk}/own/").status_code == 403


@pytest.mark.once
def test_what_is_held_against_what_is_not_paid_is_told_as_a_relative_change_only(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 19)
    everybody: dict[str, date | None] = dict.fromkeys(shops(cast), START)
    for name, planted in (("order.created", 0.25), ("order.closed", 0.0)):
        EventType.objects.create(name=name, label_en=name.title(), created_at=BEFORE)
        work(cast, everybody, planted, name=name)
    asked = registered(cast, everybody, event="order.created", smallest=0.1, unaffected="order.closed")
    made = lock(intervention=asked, by=EVERYTHING, now=BEFORE)
    evaluate(intervention=made, by=EVERYTHING, now=timezone.now())
    hua = cast.sign_in(cast.hua)

    text = read(hua, f"/impact/{made.pk}/")

    assert "Not paid for, to compare with" in text
    assert "Relative to what would have been" in text
    assert not re.search(r"[+−]\d+\.\d pp", text)
    printed = hua.get(f"/impact/{made.pk}/report.pdf").content
    said = " ".join(page_.extract_text() for page_ in pypdf.PdfReader(io.BytesIO(printed)).pages)
    assert not re.search(r"[+−]\d+\.\d pp", said)


@pytest.mark.once
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_people_are_drawn_by_the_form_and_the_list_is_for_managers(cast: Cast, language: str) -> None:
    starts = shops(cast)
    hua, shu, mo = (cast.sign_in(who) for who in (cast.hua, cast.shu, cast.mo))
    for client in (hua, shu):
        client.cookies["django_language"] = language
    start = timezone.localdate() + timedelta(days=5)
    address = f"/impact/new/?at={cast.beiyuan.slug}"
    form = {
        "title": "A mail to half", "kind": "other", "event": "", "smallest": "5", "lot": "person",
        "lot-start": start.isoformat(), "lot-share": "50", "until": (start + timedelta(days=60)).isoformat(),
        **{f"take-{slug}": "on" for slug in starts},
    }  # fmt: skip

    for wrong in ({"lot-start": ""}, {"lot-share": "many"}, {"lot-share": "0"}, {"lot-share": "95"}):
        refused = hua.post(address, {**form, **wrong})
        assert refused.status_code == 422, wrong
        assert 'value="A mail to half"' in refused.content.decode()
    said = hua.post(address, {**form, "lot-start": ""}).content.decode()
    assert ("抽中者的开始日期" if language != "en" else "when those drawn begin") in said
    page = hua.post(address, form)["Location"]

    draft = read(hua, page)
    made = Intervention.objects.get()
    names = set(Person.objects.filter(pk__in=made.drawn_people.values("person")).values_list("name", flat=True))
    assert made.plan["lot"]["begin"] == 42
    assert made.plan["lot"]["seed"] not in draft
    assert hua.get(f"{page}drawn.csv").status_code == 404
    assert hua.post(page, {"what": "lock"}).status_code == 302
    locked = read(hua, page)
    assert made.plan["lot"]["seed"] in locked
    assert f"{page}drawn.csv" in locked
    text = hua.get(f"{page}drawn.csv").content.decode()
    assert text.count("\n") == 85
    assert text.count(start.isoformat()) == 42
    assert all(f",{name}," in text for name in names)
    book = openpyxl.load_workbook(io.BytesIO(hua.get(f"{page}drawn.xlsx").content))
    assert book.worksheets[0].max_row == 85
    assert points_given(made, last=start) == 0
    assert f"{page}drawn.csv" not in read(shu, page)
    assert shu.get(f"{page}drawn.csv").status_code == 403
    assert mo.get(f"{page}drawn.csv").status_code == 404
    assert not any(f">{name}<" in locked for name in names)


@pytest.mark.once
def test_where_departments_cannot_answer_people_are_proposed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "settings_at", lambda _place: SimpleNamespace(date_of=lambda _at: TODAY))
    starts = shops(cast)
    work(cast, starts, 0.0)
    hua = cast.sign_in(cast.hua)
    form = {
        "what": "propose", "title": "By people", "event": "", "smallest": "8", "until": "", "waves": "6",
        "first": (TODAY + timedelta(days=10)).isoformat(), **{f"take-{slug}": "on" for slug in list(starts)[:10]},
    }  # fmt: skip

    offered = hua.post(f"/impact/new/?at={cast.beiyuan.slug}", form)
    few = hua.post(f"/impact/new/?at={cast.beiyuan.slug}", {k: v for k, v in form.items() if "take-shop-0" not in k})

    assert offered.status_code == 422
    assert "Draw people instead: among the 70 people" in offered.content.decode()
    assert "Draw people instead" not in few.content.decode()


@pytest.mark.once
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_report_on_people_says_how_they_were_drawn(cast: Cast, language: str) -> None:
    made = drawn(cast, shops(cast))
    work_of(cast, sides_of(made), 0.2)
    made = lock(intervention=made, by=EVERYTHING, now=BEFORE)
    evaluate(intervention=made, by=EVERYTHING, now=NOW)
    hua = cast.sign_in(cast.hua)
    hua.cookies["django_language"] = language

    text = read(hua, f"/impact/{made.pk}/")
    pdf = "".join(
        page.extract_text()
        for page in pypdf.PdfReader(io.BytesIO(hua.get(f"/impact/{made.pk}/report.pdf").content)).pages
    )

    seed = made.plan["lot"]["seed"]
    assert seed in text
    assert seed in re.sub(r"\s", "", pdf)
    for picture in ("impact-course", "impact-study", "impact-calendar"):
        assert f'id="{picture}"' in text
    with translation.override(language):
        assert str(words.DESIGNS["people_drawn"]) in text
    assert not linted(" ".join(pdf.split("\n")), grade=Grade.A)


def test_behaviour_and_work_stand_side_by_side_where_three_places_are_large_enough() -> None:
    def place(name: str, began: bool, behaviour: float, outcome: float) -> dict[str, Any]:
        return {
            "units": [name],
            "company": "",
            "began": began,
            "people": 12,
            "behaviour": behaviour,
            "outcome": outcome,
        }

    places = [place("a", True, 0.1, 2.5), place("b", True, 0.05, -1.0), place("c", False, 0.0, 0.5)]
    told: dict[str, Any] = {
        "metrics": [{"event": ""}],
        "outcome": {"event": "", "measure": "hours", "of": "", "places": places},
    }

    with translation.override("en"):
        chart = side_by_side(told, {})
        few = side_by_side({**told, "outcome": {**told["outcome"], "places": places[:2]}}, {})
        none = side_by_side({**told, "outcome": None}, {})

    assert chart is not None
    assert (few, none) == (None, None)
    assert [one.shape for one in chart.series] == ["dot", "dot", "along"]
    assert chart.rows()[0] == ("a · 12 people", "", ["2.5", "–", "10.0"])
    assert chart.series[1].values == [None, None, 0.5]


def test_whether_it_lasts_is_drawn_as_bars_of_the_rows_with_enough_days() -> None:
    def span(name: str, value: float, enough: bool) -> dict[str, Any]:
        return {"name": name, "enough": enough, "units": 4, "estimate": {"value": value, "low": 0.0, "high": 0.2}}

    spans = [span("before", 0.0, True), span("month_1", 0.11, True), span("month_2", 0.0, False)]
    primary: dict[str, Any] = {"event": "", "lasts": {"pattern": "It lasts.", "fields": {}}, "result": {"spans": spans}}

    with translation.override("en"):
        drawn_, few = (lasting_of({"metrics": [{**primary, "result": {"spans": part}}]}) for part in (spans, spans[1:]))

    assert drawn_ is not None
    assert drawn_.chart is not None
    assert drawn_.chart.series[0].values == [0.0, 11.0]
    assert len(drawn_.rows) == 3
    assert few is not None
    assert few.chart is None
