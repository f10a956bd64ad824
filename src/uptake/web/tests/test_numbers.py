"""Numbers and dates are written as readers of each language write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from uptake.insight.metrics.usage import Figure
from uptake.web import numbers
from uptake.web.usage import change_of

EN, ZH = "en", "zh-hans"


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (0, "0", "0"),
        (9999, "9,999", "9,999"),
        (12400, "12.4k", "1.2 万"),
        (-12400, "−12.4k", "−1.2 万"),
        (999949, "1,000k", "100 万"),
        (1_200_000, "1.2M", "120 万"),
        (123_456_789, "123M", "1.2 亿"),
        (2_000_000_000, "2B", "20 亿"),
        (16.2, "16.2", "16.2"),
        (None, "–", "–"),
    ],
)
def test_large_numbers_are_shortened(value: float | None, english: str, chinese: str) -> None:
    for language, written in ((EN, english), (ZH, chinese)):
        with translation.override(language):
            assert numbers.compact(value) == written


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (numbers.full(-400), "−400"),
        (numbers.full(Decimal("2.345"), 2), "2.35"),
        (numbers.signed(10), "+10"),
        (numbers.signed(0), "0"),
        (numbers.signed(-3), "−3"),
        (numbers.signed(-0.04, 1), "0.0"),
        (numbers.share(0.405), "40.5%"),
        (numbers.money(1442), "¥1,442"),
        (numbers.money(12.5), "¥12.50"),
        (numbers.money(-20), "−¥20"),
    ],
)
def test_signs_and_shares(written: str, wanted: str) -> None:
    assert written == wanted


def test_a_change_of_a_share_is_in_points() -> None:
    with translation.override(EN):
        assert numbers.points_apart(0.063) == "+6.3 pp"
        assert numbers.points_apart(-0.044) == "−4.4 pp"


@pytest.mark.parametrize(
    ("now", "before", "text", "up"),
    [(5.02, 5.0, "±0.0", None), (5, 5, "±0", None), (4.5, 5.0, "−0.5", False), (7, 5, "+2", True)],
)
def test_a_change_that_rounds_to_nothing_points_nowhere(now: float, before: float, text: str, up: bool | None) -> None:
    found = change_of(Figure(now, before), people=True)

    assert found is not None
    assert (found.text, found.up) == (text, up)


@pytest.mark.parametrize(
    ("language", "plain", "short", "moment"),
    [
        (EN, "14 May 2026", "14 May", "14 May 2026, 14:32"),
        (ZH, "2026 年 5 月 14 日", "5 月 14 日", "2026 年 5 月 14 日 14:32"),
    ],
)
def test_dates(language: str, plain: str, short: str, moment: str) -> None:
    with translation.override(language):
        assert numbers.day(date(2026, 5, 14)) == plain
        assert numbers.day(date(2026, 5, 14), year=False) == short
        assert numbers.moment(datetime(2026, 5, 14, 6, 32, tzinfo=UTC)) == moment


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (3, "3 s ago"),
        (130, "2 min ago"),
        (7800, "2 h 10 min ago"),
        (86400 * 2, "2 days ago"),
        (86400 * 30, "14 Apr 2026"),
    ],
)
def test_how_long_ago(seconds: int, written: str) -> None:
    now = datetime(2026, 5, 14, 6, 32, tzinfo=UTC)
    with translation.override(EN):
        assert numbers.ago(now - timedelta(seconds=seconds), now) == written
