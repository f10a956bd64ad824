"""An older database with points in it is brought up to this version, and every promise still holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.cast import NOW, Cast
from uptake.jobs.whole_ledger import verify_everything
from uptake.ledger.models import Deadline
from uptake.programme.rewards.resolve import fulfil, time_out_redemptions
from uptake.programme.rewards.tests.world import Shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

OLDER = ("ledger", "0003_event_keys_may_be_emptied")
"""Before deadlines of open holds were kept beside them."""


def test_points_of_an_older_version_are_carried_over(cast: Cast) -> None:
    shop = Shop(cast)
    shop.earned(100)
    mug = shop.reward(price=10, stock=9)
    rows = [shop.requested(mug, key=f"mug {number}") for number in range(3)]
    fulfil(redemption=rows[0].pk, by=cast.viewer(cast.an), key="f", now=NOW)
    kept = sorted(Deadline.objects.values_list("book", "owner", "at"))
    assert len(kept) == 2
    try:
        MigrationExecutor(connection).migrate([OLDER])
        assert "ledger_deadline" not in connection.introspection.table_names()
    finally:
        call_command("migrate", verbosity=0, interactive=False)

    assert sorted(Deadline.objects.values_list("book", "owner", "at")) == kept
    report = verify_everything()
    assert report.holds, report.problems
    assert time_out_redemptions(now=NOW + timedelta(days=20)) == 2
    assert verify_everything().holds
