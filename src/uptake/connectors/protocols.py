"""The one list of protocols of event clients: each is a folder here with a pure function from request to messages.

The endpoints that take them over HTTP stand in the web room; they call `PROTOCOLS[name].read`, correct the times
(`skew.py`), name the events (`repeats.py`) and hand them to the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from uptake.connectors.cloudevents import connector as cloudevents
from uptake.connectors.countly import connector as countly
from uptake.connectors.matomo import connector as matomo
from uptake.connectors.message import Reading
from uptake.connectors.openpanel import connector as openpanel
from uptake.connectors.posthog import connector as posthog
from uptake.connectors.request import Request
from uptake.connectors.segment import connector as segment
from uptake.connectors.sensors import connector as sensors
from uptake.connectors.snowplow import connector as snowplow
from uptake.connectors.umami import connector as umami


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol and who speaks it."""

    name: str
    title: str
    read: Callable[[Request], Reading]
    paths: tuple[str, ...]
    """Where its clients send, after the address they are given."""
    also: tuple[str, ...] = ()
    """Other names it goes by."""


_ALL = (
    Protocol(
        "segment",
        "Segment, RudderStack",
        segment.read,
        (
            *("/v1/batch", "/v1/b", "/v1/import", "/v1/track", "/v1/t", "/v1/page", "/v1/p", "/v1/screen", "/v1/s"),
            *("/v1/identify", "/v1/i", "/v1/group", "/v1/g", "/v1/alias", "/v1/a"),
        ),
        ("rudder", "rudderstack"),
    ),
    Protocol(
        "posthog",
        "PostHog",
        posthog.read,
        ("/batch", "/e", "/capture", "/track", "/engage", "/i/v0/e", "/i/v1/analytics/events"),
    ),
    Protocol("umami", "Umami", umami.read, ("/api/send", "/api/batch")),
    Protocol("openpanel", "OpenPanel", openpanel.read, ("/track",)),
    Protocol(
        "sensors",
        "神策 (SensorsData)",
        sensors.read,
        ("/sa", "/sa.gif"),
        ("sensorsdata", "sensorsanalytics", "神策", "sa"),
    ),
    Protocol("snowplow", "Snowplow", snowplow.read, ("/com.snowplowanalytics.snowplow/tp2", "/i")),
    Protocol("matomo", "Matomo", matomo.read, ("/matomo.php", "/piwik.php"), ("piwik",)),
    Protocol("countly", "Countly", countly.read, ("/i", "/i/bulk")),
    Protocol("cloudevents", "CloudEvents", cloudevents.read, ("",), ("cloudevent", "ce")),
)
PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in _ALL}


def protocol_called(name: str) -> Protocol | None:
    """The protocol of that name, in any case, also by its other names and with a variant after it (posthog_v1)."""
    plain = "".join(letter for letter in name.lower() if letter.isalnum())
    names = {one: protocol for protocol in _ALL for one in (protocol.name, *protocol.also)}
    if plain in names:
        return names[plain]
    begun = [one for one in names if len(one) > 2 and plain.startswith(one)]
    return names[max(begun, key=len)] if begun else None
