"""Who manages data connects a system, sees how it stands, and what its records would become; nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import NOW, Cast
from uptake.connectors.models import BadRecord, Pull
from uptake.connectors.pull.presets import NAMES
from uptake.connectors.pull.tests.stub import PASSWORD, Stub, declaration, running
from uptake.connectors.pull.tests.world import Desk, desk
from uptake.events.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running() as made:
        made.add(1, NOW)
        made.rows.append({"id": 2, "updated_on": "one day", "note": "Beiyuan's own"})
        yield made


@pytest.fixture
def tracker(cast: Cast, stub: Stub) -> Desk:
    return desk(cast, stub)


def signed_in(cast: Cast) -> Client:
    return cast.sign_in(cast.ren, Client(headers={"accept-language": "en"}))


def page(client: Client) -> str:
    return client.get(reverse("data:connection", args=["tracker"])).text


def test_a_database_for_figures_asks_for_no_history_and_connects(cast: Cast, tmp_path: Path, settings: Any) -> None:
    settings.DATA = str(tmp_path)
    client = cast.sign_in(cast.ren)

    form = client.get("/data/systems/new/sql_figures").content.decode()
    assert "Whose figures are read" in form
    assert "history_from" not in form
    said = {"name": "Books", "slug": "books", "organization": str(cast.beiyuan.pk), "set-address": "sqlite:///b.db"}
    client.post("/data/systems/new/sql_figures", said)

    assert Pull.objects.get(connection__slug="books").declaration.endswith("streams: []\n")


def test_every_preset_has_a_form_that_asks_for_what_it_needs(cast: Cast) -> None:
    client = signed_in(cast)
    assert client.get(reverse("data:systems")).text.count("/data/systems/new/") == len(NAMES)
    for name in NAMES:
        assert client.get(reverse("data:system_new", args=[name])).status_code == 200
    assert client.get(reverse("data:system_new", args=["none"])).status_code == 404


def test_a_check_writes_nothing_and_says_what_is_wrong(cast: Cast) -> None:
    client, address = signed_in(cast), reverse("data:system_new", args=["redmine"])
    given = {
        "name": "Tracker",
        "organization": cast.beiyuan.pk,
        "set-address": "http://127.0.0.1:9",
        "set-key": "k-123",
    }
    answer = client.post(address, {**given, "do": "check"})
    assert "The system cannot be reached." in answer.text
    assert "k-123" not in answer.text
    assert not Pull.objects.exists()
    assert "This field is required." in client.post(address, {**given, "set-key": "", "do": "connect"}).text
    made = client.post(address, {**given, "do": "connect"})
    assert made["Location"] == reverse("data:connection", args=["tracker"])
    shown = page(client)
    assert "k-123" not in shown
    assert "Reading for the first time" in shown


def test_a_page_tells_how_its_streams_stand_and_what_was_not_understood(cast: Cast, tracker: Desk) -> None:
    tracker.ask()
    shown = page(signed_in(cast))
    for words in (
        "Up to date",
        "Read to its end",
        "The time cannot be read.",
        "one day",
        "Known there as",
        "connector",
    ):
        assert words in shown
    assert PASSWORD not in shown


def test_a_declaration_is_tried_on_real_records_before_it_is_saved(cast: Cast, tracker: Desk) -> None:
    client, address = signed_in(cast), reverse("data:system_change", args=["tracker"])
    text = declaration().replace("issue.changed", "issue.touched")
    tried = client.post(address, {"declaration": text, "do": "try"}).text
    assert "issue.touched" in tried
    assert not Event.objects.exists()
    assert "issue.touched" not in Pull.objects.get().declaration
    wrong = client.post(address, {"declaration": text.replace("streams", "stream"), "do": "save"}).text
    assert "unknown: stream" in wrong
    client.post(address, {"declaration": text, "do": "save"})
    tracker.ask()
    assert Event.objects.get().name == "issue.touched"


def test_attention_is_said_and_trying_again_ends_it(cast: Cast, stub: Stub, tracker: Desk) -> None:
    client = signed_in(cast)
    stub.anonymous = True
    tracker.due()
    assert "does not know us" in page(client)
    stub.anonymous = False
    client.post(reverse("data:system_again", args=["tracker"]))
    tracker.ask()
    assert "does not know us" not in page(client)
    client.post(reverse("data:system_again", args=["tracker"]), {"since": "2026-05-01"})
    assert "Being read" in page(client)
    client.post(reverse("data:system_records", args=["tracker"]), {"do": "aside"})
    assert not BadRecord.objects.waiting().exists()


def test_a_new_password_is_kept_and_an_empty_one_changes_nothing(cast: Cast, stub: Stub, tracker: Desk) -> None:
    client, address = signed_in(cast), reverse("data:system_change", args=["tracker"])
    for password, code in (("wrong", "sign_in_refused"), (PASSWORD, None), ("", None)):
        client.post(
            address, {"do": "settings", "set-address": stub.address, "set-user": "connector", "set-password": password}
        )
        tracker.ask()
        pull = tracker.again()
        assert (pull.attention or {}).get("code") == code
        tracker.later(hours=1)


def test_others_see_and_do_nothing(cast: Cast, tracker: Desk) -> None:
    for person in (cast.mo, cast.hua, cast.lin, cast.wei):
        client = cast.sign_in(person)
        for name in ("connection", "system_again", "system_records", "system_change"):
            address = reverse(f"data:{name}", args=["tracker"])
            answer = client.get(address) if name == "connection" else client.post(address, {"do": "aside"})
            assert answer.status_code in (403, 404)
        assert client.get(reverse("data:systems")).status_code == 403


def test_where_a_system_pushes_to_is_shown_and_whether_anything_is_taken(cast: Cast, stub: Stub) -> None:
    """Without a secret nothing that is pushed is taken, and the page says so; the secret itself is never shown."""
    setting = "settings:\n  - {name: push, secret: true, optional: true}"
    hook = "webhook: {kind: token, header: X-Proof, secret: push, streams: {issues: ''}}"
    desk(cast, stub, declaration(extra=hook).replace("settings:", setting, 1))
    client, missing = signed_in(cast), "No secret is kept for it yet"
    before = page(client)
    assert "http://testserver/api/v1/hooks/tracker" in before
    assert missing in before
    given = {"do": "settings", "set-address": stub.address, "set-user": "connector", "set-password": PASSWORD}
    client.post(reverse("data:system_change", args=["tracker"]), {**given, "set-push": "pushed-in"})
    after = page(client)
    assert missing not in after
    assert "pushed-in" not in after
