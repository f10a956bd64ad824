"""Leave comes in from a file of HR: found by staff number or e-mail, once, and only for one's own people."""

from __future__ import annotations

from datetime import date

import pytest

from tests.cast import NOW, Cast
from uptake.directory.import_leave import NoColumns, import_leave
from uptake.directory.models import AuditEntry, Leave
from uptake.directory.scope import EVERYTHING, NotAllowed

pytestmark = pytest.mark.django_db


def test_rows_are_added_once_and_what_cannot_be_read_is_told_by_its_line(cast: Cast) -> None:
    cast.lin.email, cast.lin.staff_number = "lin@beiyuan.example", "BY-1"
    cast.lin.save()
    text = (
        "\ufeff工号;邮箱;开始日期;结束日期\r\n"
        "by-1;;2026/5/4;2026-05-08\r\n"
        ";LIN@beiyuan.example;2026-06-01;2026-06-01\r\n"
        ";;;\r\n"
        "QH-7001;;2026-05-04;2026-05-08\r\n"
        "BY-1;;2026-13-01;2026-05-08\r\n"
        "BY-1;;2026-05-08;2026-05-12\r\n"
        "BY-1;;2026-07-08;2026-07-01\r\n"
    )

    found = import_leave(text=text, company=cast.beiyuan, by=cast.viewer(cast.hua), now=NOW)
    again = import_leave(text=text, company=cast.beiyuan, by=cast.viewer(cast.hua), now=NOW)

    assert (found.added, found.known) == (2, 0)
    assert found.refused == [(5, "unknown_person"), (6, "no_dates"), (7, "overlaps"), (8, "no_days")]
    assert (again.added, again.known, again.refused) == (0, 2, found.refused)
    days = Leave.objects.filter(person=cast.lin).order_by("from_date").values_list("from_date", "until_date")
    assert list(days) == [(date(2026, 5, 4), date(2026, 5, 9)), (date(2026, 6, 1), date(2026, 6, 2))]
    assert AuditEntry.objects.filter(deed="leave.imported", organization=cast.beiyuan).count() == 2


@pytest.mark.parametrize("text", ["", "name,from,to\n", "staff_number,from\nBY-1,2026-05-04\n"])
def test_a_file_without_its_columns_is_refused(cast: Cast, text: str) -> None:
    with pytest.raises(NoColumns):
        import_leave(text=text, company=cast.beiyuan, by=EVERYTHING, now=NOW)


def test_nobody_takes_leave_in_for_another_company(cast: Cast) -> None:
    for person in (cast.mo, cast.lin):
        with pytest.raises(NotAllowed):
            import_leave(text="staff_number,from,to\n", company=cast.beiyuan, by=cast.viewer(person), now=NOW)
