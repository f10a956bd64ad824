"""Leave: dates on which a person is away."""

from __future__ import annotations

from datetime import date

import pytest

from tests.cast import NOW, Cast
from uptake.directory.leave import NoDays, Overlaps, add_leave, days_of_leave, remove_leave
from uptake.directory.models import AuditEntry, Leave
from uptake.directory.viewer import NotAllowed

pytestmark = pytest.mark.django_db

MONDAY, THURSDAY = date(2026, 6, 1), date(2026, 6, 4)


def test_leave_is_the_days_from_the_first_until_the_last_and_said_twice_is_once(cast: Cast) -> None:
    hua = cast.viewer(cast.hua)

    first = add_leave(person=cast.lin, from_date=MONDAY, until_date=THURSDAY, by=hua, now=NOW)
    again = add_leave(person=cast.lin, from_date=MONDAY, until_date=THURSDAY, by=hua, now=NOW)

    assert first == again
    assert days_of_leave([cast.lin.pk, cast.hua.pk]) == {cast.lin.pk: {MONDAY, date(2026, 6, 2), date(2026, 6, 3)}}
    assert AuditEntry.objects.filter(deed="leave.added").count() == 1


def test_leave_that_is_taken_out_is_gone(cast: Cast) -> None:
    hua = cast.viewer(cast.hua)
    made = add_leave(person=cast.lin, from_date=MONDAY, until_date=THURSDAY, by=hua, now=NOW)

    remove_leave(leave=made, by=hua, now=NOW)
    remove_leave(leave=made, by=hua, now=NOW)

    assert days_of_leave([cast.lin.pk]) == {}
    assert AuditEntry.objects.filter(deed="leave.removed").count() == 1


@pytest.mark.parametrize(
    ("begin", "until", "refused"),
    [
        (THURSDAY, THURSDAY, NoDays),
        (THURSDAY, MONDAY, NoDays),
        (MONDAY, date(2029, 6, 1), NoDays),
        (date(2026, 6, 3), date(2026, 6, 9), Overlaps),
        (date(2026, 5, 3), date(2026, 6, 2), Overlaps),
    ],
)
def test_leave_without_days_or_over_other_leave_is_refused(
    begin: date, until: date, refused: type[Exception], cast: Cast
) -> None:
    hua = cast.viewer(cast.hua)
    add_leave(person=cast.lin, from_date=MONDAY, until_date=THURSDAY, by=hua, now=NOW)

    with pytest.raises(refused):
        add_leave(person=cast.lin, from_date=begin, until_date=until, by=hua, now=NOW)


def test_nobody_manages_the_leave_of_another_company(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        add_leave(person=cast.lin, from_date=MONDAY, until_date=THURSDAY, by=cast.viewer(cast.mo), now=NOW)

    assert not Leave.objects.exists()
    made = add_leave(person=cast.lin, from_date=MONDAY, until_date=THURSDAY, by=cast.viewer(cast.hua), now=NOW)
    assert not Leave.objects.visible_to(cast.viewer(cast.mo)).exists()
    assert list(Leave.objects.visible_to(cast.viewer(cast.lin))) == [made]
