"""A private slapd for tests: OpenLDAP's server on a free port, gone when its block ends; skips where there is none."""

from __future__ import annotations

import datetime as dt
import ipaddress
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SLAPD = shutil.which("slapd") or "/usr/sbin/slapd"
BASE = "dc=beiyuan,dc=example"
ADMIN = f"cn=admin,{BASE}"
PASSWORD = "slapd-secret"
ROOT = f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Beiyuan\ndc: beiyuan\n"
CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb.la
pidfile {folder}/pid
sizelimit size.soft=40 size.hard=unlimited
allow bind_anon_cred bind_anon_dn
{more}
database mdb
suffix "{base}"
rootdn "{admin}"
rootpw {password}
directory {folder}/data
"""


@contextmanager
def slapd(folder: Path, entries: str, *, host: str = "") -> Iterator[int]:
    """The port of one with these entries (LDIF) below ROOT, on 127.0.0.1; with `host`, one that can encrypt and whose
    certificate, signed by itself, is for that name (`folder`/cert.pem). It is as careless as can be set: whoever
    gives no password is bound, as nobody.
    """
    if not Path(SLAPD).exists():
        pytest.skip("slapd is not installed (Debian: apt-get install slapd)")
    (folder / "data").mkdir()
    more = ""
    if host:
        _certificate(folder, host)
        more = f"TLSCertificateFile {folder}/cert.pem\nTLSCertificateKeyFile {folder}/key.pem\n"
    config = folder / "slapd.conf"
    config.write_text(CONFIG.format(folder=folder, base=BASE, admin=ADMIN, password=PASSWORD, more=more))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    subprocess.run(
        [shutil.which("slapadd") or "/usr/sbin/slapadd", "-f", str(config)],
        input=f"{ROOT}\n{entries}", text=True, check=True, capture_output=True,
    )  # fmt: skip
    address = f"ldap://127.0.0.1:{port}"
    server = subprocess.Popen([SLAPD, "-f", str(config), "-h", address, "-d", "0"], stderr=subprocess.DEVNULL)
    try:
        for _try in range(200):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def _certificate(folder: Path, host: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain, pkcs8 = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
