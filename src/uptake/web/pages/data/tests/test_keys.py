"""The page of a key tells what of that which it sent was refused or doubted, to those who manage the data only."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from tests.cast import NOW, Cast
from uptake.connectors.models import IntakeProblem
from uptake.connectors.note_problems import KEPT_DAYS, Noted, note_problems
from uptake.directory.models import Person, Role, RoleAssignment
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.keys import make_key
from uptake.events.models import ApiKey
from uptake.events.record import record
from uptake.web.pages.data.refused import SENTENCES, in_words

pytestmark = pytest.mark.django_db
TODAY = datetime.now(UTC)


@pytest.fixture
def key(cast: Cast) -> ApiKey:
    connection = connect(slug="crm", kind="api", name="CRM", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    return make_key(connection=connection, by=EVERYTHING, now=NOW, label="CRM server")[0]


def looks(cast: Cast, person: Person, key: ApiKey) -> tuple[int, str]:
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.login(person), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(reverse("data:key", args=[key.connection.slug, key.pk]))
    return answer.status_code, answer.text


def test_problems_are_told_by_sort_and_day_with_the_last_masked_sample(cast: Cast, key: ApiKey) -> None:
    for days, count in ((0, 2), (1, 40)):
        rejected = Noted(
            key.pk, "rejected", count, TODAY - timedelta(days=days), "event is missing.", {"person": "li…"}
        )
        note_problems(problems=[rejected, Noted(key.pk, "too_fast", 1, TODAY - timedelta(days=days))])
    unknown = Happening("order.processed", "k-1", NOW, person="stranger")
    record([unknown], connection=key.connection, now=NOW)

    status, page = looks(cast, cast.ren, key)

    assert status == 200
    for said in ("CRM server", "Refused events", "42", "event is missing.", "li…", "Sent too fast"):
        assert said in page
    assert f"{reverse('identities:home')}?source=crm" in page


def test_a_key_without_problems_says_so_and_other_keys_are_not_mixed_in(cast: Cast, key: ApiKey) -> None:
    other = make_key(connection=key.connection, by=EVERYTHING, now=NOW)[0]
    note_problems(problems=[Noted(other.pk, "rejected", 7, TODAY, "of the other key")])
    page = looks(cast, cast.ren, key)[1]
    assert "No problems" in page
    assert "of the other key" not in page


def test_nobody_sees_the_keys_of_others(cast: Cast, key: ApiKey) -> None:
    for person in (cast.mo, cast.lin, cast.hua, cast.wei):
        assert looks(cast, person, key)[0] in {403, 404}
    RoleAssignment.objects.create(
        person=cast.mo, role=Role.OPERATOR, organization=cast.qinghe, from_date=NOW.date(), given_at=NOW
    )
    assert looks(cast, cast.mo, key)[0] == 404


def test_what_is_old_goes_when_a_new_day_begins(key: ApiKey) -> None:
    for days in (KEPT_DAYS + 2, KEPT_DAYS - 2, 0):
        note_problems(problems=[Noted(key.pk, "late", 1, TODAY - timedelta(days=days))])
    assert IntakeProblem.objects.count() == 2


@pytest.mark.once
def test_every_sentence_a_sender_is_told_is_known_again() -> None:
    with translation.override("en"):
        for one in SENTENCES:
            groups = {name: 7 if "limit" in name else "x y" for name in re.findall(r"%\((\w+)\)", one)}
            assert in_words(one % groups if groups else one) == (one % groups if groups else one)
        assert in_words("Nobody knows this one.") == "Nobody knows this one."
    with translation.override("zh-hans"):
        assert in_words("event is missing.") != "event is missing."
        assert "PO-1" in in_words("company PO-1 is not at or below this connection's place.")
        assert "20" in in_words("facts are nested deeper than 20 levels.")
