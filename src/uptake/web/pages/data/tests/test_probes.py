"""The page of probes: what is shown, what is declared, and what is refused with everything typed still there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from uptake.connectors.models import Probe
from uptake.directory.models import Organization

pytestmark = pytest.mark.django_db
PAGE = "/data/probes/"


@pytest.fixture
def listed(settings: pytest.FixtureRequest) -> None:
    settings.PROBE_HOSTS = "erp.test"  # type: ignore[attr-defined]


def typed(place: Organization, address: str = "https://erp.test/health") -> dict[str, str]:
    return {"system": "ERP", "organization": str(place.pk), "address": address, "minutes": "5"}


def page(client: Client) -> str:
    return client.get(PAGE).content.decode()


def test_without_a_list_the_page_says_how_to_make_one_and_nothing_can_be_declared(cast: Cast) -> None:
    client = cast.sign_in(cast.ren)

    said = page(client)
    refused = client.post(PAGE, typed(cast.beiyuan))

    assert "UPTAKE_PROBE_HOSTS=" in said
    assert "Declare it" not in said
    assert refused.status_code == 422
    assert not Probe.objects.exists()


@pytest.mark.usefixtures("listed")
def test_what_is_declared_waits_for_its_first_look_and_can_be_ended(cast: Cast) -> None:
    client = cast.sign_in(cast.ren)

    client.post(PAGE, typed(cast.beiyuan))

    probe = Probe.objects.get()
    assert (probe.organization, probe.address, probe.every_minutes) == (cast.beiyuan, "https://erp.test/health", 5)
    assert "Waits for its first look" in page(client)
    assert "every 15 minutes" in page(client)
    client.post(f"{PAGE}{probe.pk}/end")
    assert "No system is probed" in page(client)


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    ("address", "said"), [("erp.test", "no address of a page"), ("https://other.test/", "not on the list")]
)
def test_a_wrong_address_is_refused_and_nothing_typed_is_lost(cast: Cast, address: str, said: str) -> None:
    answer = cast.sign_in(cast.ren).post(PAGE, typed(cast.beiyuan, address))

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert f'value="{address}"' in answer.content.decode()
    assert not Probe.objects.exists()


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    ("days", "tag"),
    [(200, "199 days left"), (20, '<span class="u-tag warn">19 days'), (3, '<span class="u-tag bad">2')],
)
def test_a_certificate_that_ends_soon_is_warned_of(cast: Cast, days: int, tag: str) -> None:
    client, now = cast.sign_in(cast.ren), timezone.now()
    client.post(PAGE, typed(cast.beiyuan))
    Probe.objects.update(
        up=True, code="answered", looked_at=now, since=now, certificate_until=now + timedelta(days=days)
    )

    assert tag in page(client)
    assert '<span class="u-dot good">Answers</span>' in page(client)


@pytest.mark.usefixtures("listed")
def test_what_is_down_says_why_and_since_when_and_counts_on_the_tab(cast: Cast) -> None:
    client, now = cast.sign_in(cast.ren), timezone.now()
    client.post(PAGE, typed(cast.beiyuan))
    Probe.objects.update(up=False, code="status", status=503, looked_at=now, since=now - timedelta(hours=2))

    said = page(client)

    assert "Does not answer" in said
    assert "It answers with the error 503." in said
    assert '<span class="u-tag bad">1</span>' in said
    Probe.objects.update(looked_at=now - timedelta(hours=1))
    assert "Not asked lately" in page(client)


@pytest.mark.usefixtures("listed")
def test_who_does_not_manage_the_data_neither_sees_nor_declares_nor_ends(cast: Cast) -> None:
    ren = cast.sign_in(cast.ren)
    ren.post(PAGE, typed(cast.qinghe))
    probe = Probe.objects.get()
    for person in (cast.hua, cast.lin, cast.shu):
        client = cast.sign_in(person)
        assert client.get(PAGE).status_code == 403
        assert client.post(f"{PAGE}{probe.pk}/end").status_code == 403
    probe.refresh_from_db()
    assert probe.ended_at is None
