"""`uptake import` keeps its contract: six figures, names of columns in refusals, nothing written by a dry run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cast import Cast
from uptake.config.command import main
from uptake.config.commands import import_file
from uptake.connectors.models import ImportRun
from uptake.directory.models import AuditEntry, Organization, Person
from uptake.events.models import Connection, Event
from uptake.events.read import events_after, positions_of

LOG = Path(__file__).resolve().parents[5] / "shared" / "data" / "loan_applications_2012.csv.gz"
TEXT = """who,what,how,when,which,sum
E01,order,made,2026-05-04 09:00,BY-1,100
E01,order,made,2026-05-04 09:00,BY-1,100
,order,closed,2026-05-05 09:00,BY-2,many
"""
OPTIONS = ["--person", "who", "--name", "what+how", "--time", "when", "--object", "which", "--property", "amount=sum"]


@pytest.fixture
def file(tmp_path: Path) -> str:
    target = tmp_path / "orders.csv"
    target.write_text(TEXT)
    return str(target)


def run(*words: str) -> tuple[int, dict[str, Any], str]:
    answer = CliRunner().invoke(main, ["import", *words, "--json"])
    last = answer.output.strip().splitlines()[-1]
    return answer.exit_code, json.loads(last), answer.output


@pytest.mark.django_db(transaction=True)
def test_a_file_is_imported_once_and_a_dry_run_writes_nothing(file: str) -> None:
    code, figures, output = run(file, *OPTIONS, "--dry-run")
    wanted = {"rows": 3, "new": 3, "replayed": 0, "rejected": 0, "people": 1, "objects": 2}
    assert (code, figures) == (0, wanted)
    assert "nothing was written" in output
    assert not any(model.objects.exists() for model in (Event, Person, Organization, Connection, ImportRun, AuditEntry))
    assert run(file, *OPTIONS)[:2] == (0, wanted)
    assert run(file, *OPTIONS)[:2] == (0, wanted | {"new": 0, "replayed": 3})
    assert run(file, *OPTIONS, "--dry-run")[:2] == (0, wanted | {"new": 0, "replayed": 3})
    assert Organization.objects.get().slug == "company"
    assert sorted(Event.objects.values_list("name", flat=True)) == ["order.closed", "order.made", "order.made"]
    assert Event.objects.get(name="order.closed").facts == {"amount": "many"}, (
        "a column that is not all numbers is text"
    )


@pytest.mark.django_db(transaction=True)
def test_rejected_rows_are_counted_and_told(file: str) -> None:
    Path(file).write_text(TEXT + "E02,order,made,never,BY-3,1\n")
    code, figures, output = run(file, *OPTIONS)
    assert (code, figures["rows"], figures["new"], figures["rejected"]) == (0, 4, 3, 1)
    assert "row 5: Not a time (when): never" in output


@pytest.mark.django_db(transaction=True)
def test_what_is_read_can_earn_or_is_history(file: str) -> None:
    run(file, *OPTIONS, "--earn")
    assert set(Event.objects.values_list("history_only", flat=True)) == {False}
    assert not events_after(positions_of("programme")[0], limit=1), "points were considered before the command ended"
    _code, figures, _output = run(file, *OPTIONS)
    assert figures["rejected"] == 3, "what stands and earns does not become history"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--name", "nothing", "--time", "when"],
            "no column “nothing”. The columns are: who, what, how, when, which, sum",
        ),
        (["--name", "what", "--time", "When"], "no column “When”"),
        (["--name", "what", "--time", "when", "--property", "amount"], "is not NAME=COL"),
        (["--name", "what", "--time", "when", "--property", "a=x"], "no column “x”"),
        (["--name", "what", "--time", "when", "--zone", "Mars/Base"], "no time zone Mars/Base"),
        (["--name", "what", "--time", "when", "--organization", "nowhere"], "no organization nowhere"),
        (["--time", "when"], "Missing option '--name'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name_and_nothing_is_written(file: str, words: list[str], said: str) -> None:
    code, answer, output = run(file, *words)
    assert code in (1, 2)
    assert said in output
    assert "error" in answer
    assert not ImportRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_unreadable_file_is_refused_with_its_row(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text('what,when\norder,"2026')
    code, answer, _output = run(str(bad), "--name", "what", "--time", "when")
    assert code == 1
    assert "bad.csv: Row 2: A quotation mark is not closed" in answer["error"]
    assert CliRunner().invoke(main, ["import", str(tmp_path / "none.csv")]).exit_code == 2


@pytest.mark.django_db(transaction=True)
def test_whose_events_these_are_is_asked_only_where_it_is_not_clear(cast: Cast, file: str) -> None:
    code, answer, _output = run(file, *OPTIONS)
    assert code == 1
    assert cast.beiyuan.slug in answer["error"]
    assert cast.qinghe.slug in answer["error"]
    assert run(file, *OPTIONS, "--organization", cast.qinghe.slug)[0] == 0
    assert set(Event.objects.values_list("company", flat=True)) == {cast.qinghe.pk}
    assert run(file, *OPTIONS, "--organization", cast.purchasing.slug)[0] == 1, "a department has no events of its own"


@pytest.mark.django_db(transaction=True)
def test_rows_name_their_company_where_a_column_holds_it(cast: Cast, tmp_path: Path) -> None:
    target = tmp_path / "both.csv"
    target.write_text(f"what,when,firm\nseen,2026-05-04,{cast.qinghe.name}\nseen,2026-05-04,{cast.beiyuan.slug}\n")
    code, figures, _output = run(str(target), "--name", "what", "--time", "when", "--company", "firm")
    assert (code, figures["new"]) == (0, 2)
    assert set(Event.objects.values_list("company", flat=True)) == {cast.qinghe.pk, cast.beiyuan.pk}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not LOG.exists(), reason="the loan log is not in ../shared/data")
def test_the_loan_log_gives_its_exact_figures_and_a_second_import_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(import_file, "follow", lambda clock, beside: None)  # the readers have tests of their own
    words = ["--person", "org:resource", "--name", "concept:name+lifecycle:transition", "--time", "time:timestamp"]
    words += ["--object", "case:concept:name", "--property", "amount=case:AMOUNT_REQ"]
    wanted = {"rows": 262_200, "new": 262_200, "replayed": 0, "rejected": 0, "people": 68, "objects": 13_087}
    assert run(str(LOG), *words)[:2] == (0, wanted)
    assert Event.objects.filter(identity__person__isnull=False).count() == 244_190
    assert Event.objects.filter(identity__isnull=True).count() == 18_010
    assert Person.objects.count() == 68
    assert ImportRun.objects.get().totals["sums"] == {"amount": "4086857749"}
    assert run(str(LOG), *words)[:2] == (0, wanted | {"new": 0, "replayed": 262_200})
    assert (Event.objects.count(), Person.objects.count()) == (262_200, 68)
