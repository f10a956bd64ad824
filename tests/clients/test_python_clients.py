"""What Python's published clients send comes in whole and once, also over a wire that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest

from tests.clients.conftest import Receiver
from tests.clients.wire import BROKEN, BUSY, UNHEARD, Wire, wire_to

pytestmark = pytest.mark.once
COUNT = 30
FAULTS = (BUSY, BROKEN, UNHEARD)


@pytest.fixture
def wire(receiver: Receiver) -> Iterator[Wire]:
    with wire_to(receiver.server.url, *FAULTS) as made:
        yield made


def _segment(url: str, key: str, event: str) -> None:
    from segment.analytics.client import Client  # type: ignore[import-untyped]

    client = Client(key, host=f"{url}/in/segment", gzip=True, upload_size=10, upload_interval=0.1, max_retries=8)
    for n in range(COUNT):
        client.track("lin", event, {"n": n, "amount": 12.5})
    client.shutdown()


def _rudder(url: str, key: str, event: str) -> None:
    from rudderstack.analytics.client import Client  # type: ignore[import-untyped]

    client = Client(key, host=f"{url}/in/segment", upload_size=10, upload_interval=0.1, max_retries=8)
    for n in range(COUNT):
        client.track("lin", event, {"n": n, "amount": 12.5})
    client.shutdown()


def _posthog(url: str, key: str, event: str) -> None:
    from posthog import Posthog

    client = Posthog(key, host=f"{url}/in/posthog", gzip=True, flush_at=10, flush_interval=0.1, max_retries=6)
    for n in range(COUNT):
        client.capture(event, distinct_id="lin", properties={"n": n, "amount": 12.5})
    client.shutdown()


RETRYING: dict[str, Callable[[str, str, str], None]] = {"segment": _segment, "rudder": _rudder, "posthog": _posthog}


@pytest.mark.parametrize("name", RETRYING)
def test_clients_that_send_again_lose_nothing_and_double_nothing(name: str, receiver: Receiver, wire: Wire) -> None:
    event = f"order.confirmed.{name}"

    RETRYING[name](wire.url, receiver.key, event)

    assert sorted(receiver.held(event), key=int) == [str(n) for n in range(COUNT)]
    assert not wire.faults
    assert set(wire.statuses) == {200, 429, 500}
    assert receiver.conflicts() == 0


def test_sensors_in_batches_and_one_by_one(receiver: Receiver) -> None:
    import sensorsanalytics  # type: ignore[import-untyped]

    address = f"{receiver.server.url}/in/sensors/sa?project=default&key={receiver.key}"
    for consumer in (sensorsanalytics.DefaultConsumer(address), sensorsanalytics.BatchConsumer(address, max_size=4)):
        client = sensorsanalytics.SensorsAnalytics(consumer, "default")
        for n in range(5):
            client.track("lin", "OrderConfirmed", {"n": n}, is_login_id=True)
        client.flush()
        client.close()

    assert sorted(receiver.held("OrderConfirmed")) == [*"0011223344"]


def test_umami(receiver: Receiver) -> None:
    import umami

    umami.set_url_base(f"{receiver.server.url}/in/umami")
    umami.set_website_id(receiver.key)
    umami.set_hostname("erp.example")
    for _time in range(2):
        # It names neither time nor id: two that say the same are two.
        umami.new_event("report.opened", url="/stock", custom_data={"n": 1}, distinct_id="lin")
    umami.new_page_view("Stock", "/stock")

    assert receiver.held("report.opened") == ["1", "1"]
    assert len(receiver.held("$pageview")) == 1


def test_cloudevents_in_both_modes_are_known_again_by_id_and_source(receiver: Receiver) -> None:
    from cloudevents.v1.conversion import to_binary, to_structured
    from cloudevents.v1.http import CloudEvent

    said = {
        "type": "example.order.confirmed",
        "source": "/erp",
        "subject": "lin",
        "time": datetime.now(UTC).isoformat(),
    }
    for n, pack in ((1, to_structured), (2, to_binary), (1, to_structured)):
        headers, body = pack(CloudEvent({**said, "id": f"order-{n}"}, {"n": n}))
        headers = {**headers, "Authorization": f"Bearer {receiver.key}"}
        answer = httpx.post(f"{receiver.server.url}/in/cloudevents", content=body, headers=headers)
        assert answer.status_code == 200, answer.text

    assert receiver.held("example.order.confirmed") == ["1", "2"]
