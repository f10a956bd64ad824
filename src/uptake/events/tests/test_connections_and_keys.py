"""Connections are made, paused and resumed; keys are shown once, checked, and revoked within seconds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.scope import EVERYTHING
from uptake.directory.viewer import NotAllowed
from uptake.events import keys
from uptake.events.connect import SlugTaken, UnknownZone, connect, pause, resume
from uptake.events.keys import NotAnOrigin, authenticate, make_key, note_use, origins_allowed, revoke_key
from uptake.events.models import ApiKey, Connection
from uptake.events.tests.world import connection_of

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=4)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    keys.forget()
    yield
    keys.forget()


def test_a_connection_said_again_is_the_same_and_a_slug_is_taken_once(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    assert connection_of(cast.beiyuan) == erp
    with pytest.raises(SlugTaken):
        connection_of(cast.qinghe)
    with pytest.raises(UnknownZone):
        connection_of(cast.beiyuan, "mes", timezone="Asia/Linjiang")
    with pytest.raises(ValidationError):
        connection_of(cast.beiyuan, "not a slug")
    assert Connection.objects.count() == 1


def test_pausing_and_resuming_are_noted_once(cast: Cast) -> None:
    erp, ren = connection_of(cast.beiyuan), cast.viewer(cast.ren)
    for _again in range(2):
        assert pause(connection=erp, by=ren, now=NOW).paused_at == NOW
    for _again in range(2):
        assert resume(connection=erp, by=ren, now=NOW).paused_at is None
    deeds = list(AuditEntry.objects.order_by("id").values_list("deed", flat=True))
    assert deeds == ["connection.made", "connection.paused", "connection.resumed"]


def test_a_key_opens_its_connection_and_the_secret_is_stored_nowhere(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    key, secret = make_key(
        connection=erp, by=cast.viewer(cast.ren), now=NOW, label="ERP", allowed_origins=["HTTPS://erp.example"]
    )
    found = authenticate(secret=secret, now=NOW)
    assert found is not None
    assert (found.connection, found.allowed_origins) == (erp, ("https://erp.example",))
    assert secret.startswith(f"upk_{key.prefix}_")
    kept = str(list(ApiKey.objects.values())) + str(list(AuditEntry.objects.values()))
    assert secret not in kept
    assert secret.rpartition("_")[2] not in kept


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:-1] + ("A" if s[-1] != "A" else "B"),
        lambda s: s + "x",
        lambda s: s[:20],
        lambda s: "",
        lambda s: "é\ud800",
    ],
)
def test_anything_but_the_secret_opens_nothing(cast: Cast, spoil: object) -> None:
    _key, secret = make_key(connection=connection_of(cast.beiyuan), by=EVERYTHING, now=NOW)
    assert callable(spoil)
    assert authenticate(secret=spoil(secret), now=NOW) is None


def test_a_revoked_key_opens_nothing_at_once_here_and_within_seconds_elsewhere(cast: Cast) -> None:
    key, secret = make_key(connection=connection_of(cast.beiyuan), by=EVERYTHING, now=NOW)
    assert authenticate(secret=secret, now=NOW)
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=NOW)  # as another process does
    assert authenticate(secret=secret, now=NOW + timedelta(seconds=2)), "remembered"
    assert authenticate(secret=secret, now=LATER) is None


def test_revoking_is_noted_once_and_forgets(cast: Cast, django_capture_on_commit_callbacks: object) -> None:
    key, secret = make_key(connection=connection_of(cast.beiyuan), by=EVERYTHING, now=NOW)
    assert authenticate(secret=secret, now=NOW)
    assert callable(django_capture_on_commit_callbacks)
    with django_capture_on_commit_callbacks(execute=True):
        revoke_key(key=key, by=EVERYTHING, now=NOW)
    revoke_key(key=key, by=EVERYTHING, now=LATER)
    assert authenticate(secret=secret, now=NOW) is None
    assert AuditEntry.objects.filter(deed="key.revoked").count() == 1
    assert ApiKey.objects.get().revoked_at == NOW


@pytest.mark.parametrize(
    "origin", ["erp.example", "https://", "https://erp.example/path", "ftp://erp.example", "null", ""]
)
def test_an_origin_is_a_scheme_and_a_host(cast: Cast, origin: str) -> None:
    with pytest.raises(NotAnOrigin):
        make_key(connection=connection_of(cast.beiyuan), by=EVERYTHING, now=NOW, allowed_origins=[origin])


def test_origins_allowed_are_those_of_valid_keys(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    make_key(connection=erp, by=EVERYTHING, now=NOW, allowed_origins=["https://a.example", "http://b.example:8080"])
    gone, _secret = make_key(connection=erp, by=EVERYTHING, now=NOW, allowed_origins=["https://gone.example"])
    revoke_key(key=gone, by=EVERYTHING, now=NOW)
    assert origins_allowed() == {"https://a.example", "http://b.example:8080"}


def test_the_last_use_is_kept(cast: Cast) -> None:
    key, _secret = make_key(connection=connection_of(cast.beiyuan), by=EVERYTHING, now=NOW)
    note_use(key_ids=[key.pk], now=LATER)
    key.refresh_from_db()
    assert key.last_used_at == LATER


@pytest.mark.parametrize("who", ["lin", "hua", "mo", "wei", "shu"])
def test_only_who_manages_data_there_connects_and_gives_keys(cast: Cast, who: str) -> None:
    erp, viewer = connection_of(cast.beiyuan), cast.viewer(cast.people()[who])
    key, _secret = make_key(connection=erp, by=EVERYTHING, now=NOW)
    for deed in (
        lambda: connect(slug="mine", kind="api", name="Mine", organization=cast.beiyuan, by=viewer, now=NOW),
        lambda: pause(connection=erp, by=viewer, now=NOW),
        lambda: make_key(connection=erp, by=viewer, now=NOW),
        lambda: revoke_key(key=key, by=viewer, now=NOW),
    ):
        with pytest.raises(NotAllowed):
            deed()
