"""Keys of the widget are made for named pages, shown once, and revoked at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.scope import EVERYTHING
from uptake.directory.viewer import NotAllowed
from uptake.events.connect import connect, pause
from uptake.events.keys import NotAnOrigin, OriginsNeeded, authenticate
from uptake.events.models import WidgetKey
from uptake.events.tests.world import connection_of
from uptake.events.widget_keys import NotKnown, make_widget_key, opened_by, revoke_widget_key

pytestmark = pytest.mark.django_db
PAGES = ["HTTPS://ERP.example", "https://erp.example"]


def test_the_secret_opens_the_key_is_stored_nowhere_and_opens_no_intake(cast: Cast) -> None:
    ren = cast.viewer(cast.ren)
    key, secret = make_widget_key(connection=connection_of(cast.beiyuan), by=ren, now=NOW, allowed_origins=PAGES)

    assert opened_by(secret=secret, now=NOW) == key
    assert key.allowed_origins == ["https://erp.example"]
    assert secret.rpartition("_")[2] not in str(WidgetKey.objects.values().get())
    assert authenticate(secret=secret, now=NOW) is None
    assert opened_by(secret=secret[:-1] + ("a" if secret[-1] != "a" else "b"), now=NOW) is None
    assert opened_by(secret="upw_nonsense", now=NOW) is None
    key.refresh_from_db()
    assert key.last_used_at == NOW
    opened_by(secret=secret, now=NOW + timedelta(seconds=30))
    key.refresh_from_db()
    assert key.last_used_at == NOW


def test_revoked_or_paused_it_opens_nothing_and_both_are_noted_once(cast: Cast) -> None:
    ren, erp = cast.viewer(cast.ren), connection_of(cast.beiyuan)
    key, secret = make_widget_key(connection=erp, by=ren, now=NOW, allowed_origins=PAGES)
    other, paused = make_widget_key(connection=erp, by=ren, now=NOW, allowed_origins=PAGES)
    for _again in range(2):
        revoke_widget_key(key=key, by=ren, now=NOW)
    assert opened_by(secret=secret, now=NOW) is None
    assert opened_by(secret=paused, now=NOW) == other
    pause(connection=erp, by=ren, now=NOW)
    assert opened_by(secret=paused, now=NOW) is None
    deeds = AuditEntry.objects.filter(deed__startswith="widget_key").order_by("id").values_list("deed", flat=True)
    assert list(deeds) == ["widget_key.made", "widget_key.made", "widget_key.revoked"]


@pytest.mark.parametrize(
    ("origins", "refusal"),
    [([], OriginsNeeded), (["*"], OriginsNeeded), (["erp.example"], NotAnOrigin), (["https://a.b/c"], NotAnOrigin)],
)
def test_it_names_its_pages(cast: Cast, origins: list[str], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        make_widget_key(
            connection=connection_of(cast.beiyuan), by=cast.viewer(cast.ren), now=NOW, allowed_origins=origins
        )


def test_only_who_manages_the_data_makes_and_revokes_and_never_for_web_pages(cast: Cast) -> None:
    ren, erp = cast.viewer(cast.ren), connection_of(cast.beiyuan)
    key, _secret = make_widget_key(connection=erp, by=ren, now=NOW, allowed_origins=PAGES)
    for who in (cast.mo, cast.hua, cast.wei, cast.lin):
        with pytest.raises(NotAllowed):
            make_widget_key(connection=erp, by=cast.viewer(who), now=NOW, allowed_origins=PAGES)
        with pytest.raises(NotAllowed):
            revoke_widget_key(key=key, by=cast.viewer(who), now=NOW)
        assert not WidgetKey.objects.visible_to(cast.viewer(who)).exists()
    pages = connect(slug="portal", kind="browser", name="Portal", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    with pytest.raises(NotKnown):
        make_widget_key(connection=pages, by=ren, now=NOW, allowed_origins=PAGES)
