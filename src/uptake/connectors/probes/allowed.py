"""Which hosts the installation lets be probed, and what an address of one looks like: values in, values out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit, urlunsplit

LONGEST_ADDRESS = 500
NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
PORTS = {"https": 443, "http": 80}

IP = IPv4Address | IPv6Address


class WrongAddress(ValueError):
    """No address of a page of a server, or one that holds a user name."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """names: exact hosts; below: endings such as ".example.com"; networks: those whose addresses are named."""

    names: frozenset[str] = frozenset()
    below: tuple[str, ...] = ()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.names or self.below or self.networks)

    def host(self, host: str) -> bool:
        """Whether a host (a name or an IP address, in lower case) may be asked at all."""
        found = _ip(host)
        if found is not None:
            return self.place(found) and self._named(found)
        return host in self.names or host.endswith(self.below)

    def place(self, found: IP) -> bool:
        """Whether an IP address a host leads to may be asked: one of the internet, or one that is named.

        Never the network of a machine's own services (169.254, fe80), 0.0.0.0 or multicast.
        """
        found = getattr(found, "ipv4_mapped", None) or found
        if found.is_link_local or found.is_unspecified or found.is_multicast:
            return False
        return found.is_global or self._named(found)

    def _named(self, found: IP) -> bool:
        found = getattr(found, "ipv4_mapped", None) or found
        return any(found.version == one.version and found in one for one in self.networks)


@lru_cache(maxsize=8)
def allowed_from(text: str) -> Allowed:
    """Of a list with commas: hosts, `*.example.com`, IP addresses and networks. Raises ValueError for anything else."""
    names, below, networks = set(), [], []
    for entry in filter(None, (part.strip().lower().rstrip(".") for part in text.split(","))):
        try:
            networks.append(ip_network(entry.strip("[]")))
            continue
        except ValueError:
            pass
        name = _ascii(entry.removeprefix("*."))
        if not NAME.fullmatch(name) or name.replace(".", "").isdigit():
            raise ValueError(f"{entry!r} is no host, *.host, IP address or network")
        if entry.startswith("*."):
            below.append(f".{name}")
        else:
            names.add(name)
    return Allowed(frozenset(names), tuple(below), tuple(networks))


def proper(address: str) -> str:
    """The address as it is kept: scheme and host in lower case, no port that goes without saying, no fragment.

    Raises WrongAddress.
    """
    typed = address.strip()
    try:
        parts = urlsplit(typed)
        port = parts.port
        host = _ascii((parts.hostname or "").rstrip("."))
    except ValueError as failure:
        raise WrongAddress(address) from failure
    known = _ip(host)
    if (
        parts.scheme not in PORTS
        or len(typed) > LONGEST_ADDRESS
        or parts.username is not None
        or parts.password is not None
        or not re.fullmatch(r"[\x21-\x7e]*", parts.path + parts.query)
        or not (known or (NAME.fullmatch(host) and not host.replace(".", "").isdigit()))
    ):
        raise WrongAddress(address)
    place = f"[{host}]" if known is not None and known.version == 6 else host
    if port is not None and port != PORTS[parts.scheme]:
        place += f":{port}"
    return urlunsplit((parts.scheme, place, parts.path or "/", parts.query, ""))


def _ip(host: str) -> IP | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _ascii(host: str) -> str:
    """A name as it is asked for: 例子.cn is xn--fsqu00a.cn. Raises ValueError."""
    return host.lower() if host.isascii() else host.encode("idna").decode().lower()
