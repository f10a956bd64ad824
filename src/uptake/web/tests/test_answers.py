"""An answer is known until something is written to the log; what of it is shown is decided for everyone anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tests.cast import Cast
from uptake.activity import ActivityLog, analyses
from uptake.activity.incoming import Incoming
from uptake.activity.store import Store
from uptake.directory.scope import EVERYTHING
from uptake.web import answers

pytestmark = [pytest.mark.django_db, pytest.mark.once]
AT = round(datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()) * 1_000_000
PER_DAY = {"analysis": "pv_uv", "event_sel": {}, "from": "2026-05-04", "to": "2026-05-04", "timezone": "UTC"}


@pytest.fixture
def asked(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The questions the engine was really asked."""
    settings.REMEMBERED_SECONDS = 3
    heard: list[Any] = []

    def ask(log: ActivityLog, question: Mapping[str, Any], **how: Any) -> dict[str, Any]:
        heard.append(question)
        return analyses.ask(log, question, **how)

    monkeypatch.setattr(answers, "ask", ask)
    monkeypatch.setattr(answers, "_known", type(answers._known)())
    return heard


def happens(folder: Path, number: int, company: int) -> ActivityLog:
    with Store(folder).writing(buckets=1) as writer:
        writer.add(Incoming([number], [number], [AT], [0], [company], [0], ["open"], [""], [""], [{}]))
        writer.publish()
    return ActivityLog.open(folder)


def test_the_same_question_is_asked_once(cast: Cast, tmp_path: Path, asked: list[Any]) -> None:
    log = happens(tmp_path, 1, cast.beiyuan.pk)
    first = answers.told(log, EVERYTHING, PER_DAY)
    again = answers.told(log, EVERYTHING, dict(reversed(PER_DAY.items())))
    assert first["uv"] == again["uv"] == [1]
    assert len(asked) == 1

    answers.told(log, EVERYTHING, {**PER_DAY, "timezone": "Asia/Shanghai"})
    assert len(asked) == 2


def test_what_came_later_is_counted(cast: Cast, tmp_path: Path, asked: list[Any]) -> None:
    log = happens(tmp_path, 1, cast.beiyuan.pk)
    answers.told(log, EVERYTHING, PER_DAY)
    happens(tmp_path, 2, cast.beiyuan.pk)

    assert answers.told(log, EVERYTHING, PER_DAY)["uv"] == [2]
    assert len(asked) == 2


def test_nobody_is_told_what_another_may_see(cast: Cast, tmp_path: Path, asked: list[Any]) -> None:
    log = happens(tmp_path, 1, cast.beiyuan.pk)
    wei, hua, mo = (answers.told(log, cast.viewer(one), PER_DAY) for one in (cast.wei, cast.hua, cast.mo))

    assert (wei["uv"], hua["uv"], mo["uv"]) == ([1], [None], [0])


def test_another_log_gives_other_answers(cast: Cast, tmp_path: Path, asked: list[Any]) -> None:
    one, other = happens(tmp_path / "one", 1, cast.beiyuan.pk), happens(tmp_path / "other", 1, cast.qinghe.pk)
    question = {**PER_DAY, "scope": [cast.beiyuan.pk]}

    assert [answers.told(log, EVERYTHING, question)["uv"] for log in (one, other, one)] == [[1], [0], [1]]
    assert len(asked) == 2
