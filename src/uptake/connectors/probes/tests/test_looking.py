"""Probes against a server of this machine: up, failing, slow, dripping, leading elsewhere, with bad certificates."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from uptake.connectors.probes.allowed import Allowed, WrongAddress, allowed_from, proper
from uptake.connectors.probes.look import look

HERE = allowed_from("erp.test, *.park.test, 127.0.0.0/8")
NOW = datetime.now(UTC).replace(microsecond=0)


class Handler(http.server.BaseHTTPRequestHandler):
    """What is answered stands in the address."""

    def do_GET(self) -> None:
        what, _slash, more = self.path.strip("/").partition("/")
        if what == "slow":
            time.sleep(3)
        if what == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _turn in range(60):
                time.sleep(0.1)
                self.wfile.write(b"X-A: b\r\n")
                self.wfile.flush()
        if what == "rubbish":
            self.wfile.write(b"\x00\x01 hello\r\n\r\n")
            return
        leads = {
            "leads": f"/{more}",
            "circles": "/circles",
            "away": "http://elsewhere.test/",
            "port": "http://erp.test:1/",
        }
        self.send_response(302 if what in leads else int(what) if what.isdigit() else 200)
        if what in leads:
            self.send_header("Location", leads[what])
        self.end_headers()

    def log_message(self, *_about: Any) -> None:
        pass


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_about: Any) -> None:
        pass  # who cuts a connection off is what is tested


@pytest.fixture
def plain() -> Iterator[int]:
    yield from _serve(None)


def _serve(context: ssl.SSLContext | None) -> Iterator[int]:
    server = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def here(_host: str, port: int, **_about: Any) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.mark.parametrize(
    ("path", "up", "code", "status"),
    [
        ("200", True, "answered", 200),
        ("401", True, "answered", 401),
        ("404", False, "status", 404),
        ("503", False, "status", 503),
        ("leads/204", True, "answered", 204),
        ("leads/500", False, "status", 500),
        ("away", True, "leads_elsewhere", 302),
        ("port", True, "leads_elsewhere", 302),
        ("circles", False, "in_circles", None),
        ("rubbish", False, "no_http", None),
    ],
)
def test_what_a_server_answers_says_whether_it_is_up(
    plain: int, path: str, up: bool, code: str, status: int | None
) -> None:
    seen = look(f"http://erp.test:{plain}/{path}", allowed=HERE, resolve=here)

    assert (seen.up, seen.code, seen.status) == (up, code, status)
    assert (seen.milliseconds is not None) == (status is not None)


@pytest.mark.parametrize("path", ["slow", "drip"])
def test_who_answers_late_or_byte_by_byte_is_not_waited_for(plain: int, path: str) -> None:
    begun = time.monotonic()

    seen = look(f"http://erp.test:{plain}/{path}", allowed=HERE, resolve=here, seconds=0.6)

    assert (seen.up, seen.code) == (False, "too_slow")
    assert time.monotonic() - begun < 2


def test_nothing_there_is_down(plain: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def nowhere(*_args: Any, **_about: Any) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    assert look(f"http://erp.test:{port}/", allowed=HERE, resolve=here).code == "refused"
    assert look("http://erp.test/", allowed=HERE, resolve=nowhere).code == "no_name"
    assert look(f"https://erp.test:{plain}/", allowed=HERE, resolve=here).code == "no_tls"


def test_private_places_and_hosts_not_on_the_list_are_not_asked_at_all(plain: int) -> None:
    names_only = allowed_from("erp.test")
    by_name = look(f"http://erp.test:{plain}/", allowed=names_only, resolve=here)
    by_number = look(f"http://127.0.0.1:{plain}/", allowed=names_only)
    other = look(f"http://other.test:{plain}/", allowed=HERE, resolve=here)

    assert [(one.up, one.code) for one in (by_name, by_number, other)] == [
        (None, "private"), (None, "not_allowed"), (None, "not_allowed"),
    ]  # fmt: skip
    assert look(f"http://127.0.0.1:{plain}/", allowed=HERE).up


@pytest.mark.parametrize(
    ("name", "trusts", "days", "code"),
    [
        ("erp.test", True, 20, "answered"),
        ("erp.test", True, -1, "certificate_ended"),
        ("other.test", True, 20, "certificate_of_other"),
        ("erp.test", False, 20, "certificate"),
    ],
)
def test_a_certificate_is_checked_and_its_end_is_told(
    tmp_path: Path, name: str, trusts: bool, days: int, code: str
) -> None:
    ends = NOW + timedelta(days=days)
    files, trusted = _certificate(tmp_path, name, ends), ssl.create_default_context()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(*files)
    if trusts:
        trusted.load_verify_locations(files[0])
    for port in _serve(served):
        seen = look(f"https://erp.test:{port}/", allowed=HERE, resolve=here, trusted=trusted)

    assert seen.code == code
    assert seen.up == (code == "answered")
    assert seen.certificate_until == (ends if seen.up else None)


def _certificate(folder: Path, name: str, ends: datetime) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=40))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.mark.parametrize(
    ("text", "host", "is_allowed"),
    [
        ("erp.example.com", "erp.example.com", True),
        ("ERP.example.com.", "erp.example.com", True),
        ("erp.example.com", "x.erp.example.com", False),
        ("*.example.com", "erp.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "badexample.com", False),
        ("10.1.0.0/16", "10.1.2.3", True),
        ("10.1.0.0/16", "10.2.2.3", False),
        ("8.8.8.8", "8.8.8.8", True),
        ("8.8.8.8", "1.1.1.1", False),
        ("169.254.0.0/16", "169.254.169.254", False),
        ("10.1.0.0/16", "::ffff:10.1.2.3", True),
        ("fd00::/8", "fd00::1", True),
        ("", "erp.example.com", False),
    ],
)
def test_the_list_names_hosts_endings_and_networks(text: str, host: str, is_allowed: bool) -> None:
    assert allowed_from(text).host(host) is is_allowed
    assert bool(allowed_from(text)) is bool(text)


@pytest.mark.parametrize("text", ["erp example", "https://erp.test", "*", "*.*.test", "10.1.2", "a/b", "erp.test:443"])
def test_a_list_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        allowed_from(text)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" HTTPS://ERP.Example.com ", "https://erp.example.com/"),
        ("https://erp.example.com:443/a?b=1#c", "https://erp.example.com/a?b=1"),
        ("http://erp.example.com:8080", "http://erp.example.com:8080/"),
        ("https://[FD00::1]:8443/", "https://[fd00::1]:8443/"),
        ("https://例子.cn/", "https://xn--fsqu00a.cn/"),
        ("ftp://erp.example.com/", None),
        ("erp.example.com", None),
        ("https://user:secret@erp.example.com/", None),
        ("https://erp.example.com/a\r\nHost: x", None),
        ("https://erp.example.com:99999/", None),
        ("https://10.1.2/", None),
        ("https:///", None),
        (f"https://erp.example.com/{'a' * 500}", None),
    ],
)
def test_an_address_is_kept_in_one_way_of_writing_it(typed: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(WrongAddress):
            proper(typed)
    else:
        assert proper(typed) == kept
        assert proper(kept) == kept


def test_an_empty_list_allows_nothing() -> None:
    assert not Allowed()
    assert look("https://erp.test/", allowed=Allowed(), resolve=here).up is None
