"""Where the boards of one company cannot be kept, the others go on, and the failure shows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import Organization
from uptake.jobs.list import keep_boards
from uptake.programme.merit import Gain, note_merit
from uptake.programme.merits import keep_boards as kept
from uptake.programme.merits.models import Score
from uptake.programme.models import MeritChange

pytestmark = pytest.mark.django_db


def test_where_one_company_cannot_be_kept_the_others_go_on_and_the_failure_is_told(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    gains = [
        Gain(company.pk, who.pk, TODAY, 7, NOW) for company, who in ((cast.beiyuan, cast.lin), (cast.qinghe, cast.mo))
    ]
    note_merit(gains, now=NOW)
    placed = kept.places_of

    def refuse(company: Organization, *rest: Any) -> Any:
        if company == cast.beiyuan:
            raise ValueError("no places")
        return placed(company, *rest)

    monkeypatch.setattr(kept, "places_of", refuse)
    with pytest.raises(ExceptionGroup, match=rf"company {cast.beiyuan.pk} could not be kept: ValueError"):
        keep_boards(NOW)
    assert list(MeritChange.objects.values_list("company_id", flat=True)) == [cast.beiyuan.pk]
    assert Score.objects.filter(place=cast.qinghe, points=7).exists()
    monkeypatch.undo()
    assert keep_boards(NOW) == 1
