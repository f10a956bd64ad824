"""A system that speaks SAML for tests: it signs with xmlsec, and is wrong in whatever way a test asks."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
import zlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import xmlsec as c_xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree as lxml_etree

etree: Any = lxml_etree
xmlsec: Any = c_xmlsec
P, A = "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:2.0:assertion"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
SSO = "https://idp.example/sso"


def _pair(name: str) -> tuple[bytes, str]:
    """(private key, certificate) in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=2))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain), pem


KEYS = {name: _pair(name) for name in ("own", "other")}


def metadata(*, entity: str = "https://idp.example", key: str = "own", sso: str = SSO) -> str:
    """What it says of itself."""
    body = "".join(KEYS[key][1].splitlines()[1:-1])
    return (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity}">'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{P}"><md:KeyDescriptor use="signing">'
        f'<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{body}'
        f"</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService "
        f'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso}"/></md:IDPSSODescriptor>'
        f"</md:EntityDescriptor>"
    )


def asked(address: str) -> dict[str, str]:
    """What a browser that is sent to it brings along."""
    raw = parse_qs(urlsplit(address).query)["SAMLRequest"][0]
    root = etree.fromstring(zlib.decompress(base64.b64decode(raw), -15))
    issuer = root.findtext(f"{{{A}}}Issuer") or ""
    return {"id": root.get("ID") or "", "acs": root.get("AssertionConsumerServiceURL") or "", "issuer": issuer}


def assertion(question: dict[str, str], **wrong: Any) -> Any:
    """An assertion about Lin that answers a question, with what is `wrong` in it; not signed."""
    now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=wrong.get("shift", 0))
    begin, end = (f"{now + dt.timedelta(seconds=n):%Y-%m-%dT%H:%M:%SZ}" for n in (-30, 300))
    confirm = {
        "InResponseTo": question["id"],
        "Recipient": question["acs"],
        "NotOnOrAfter": end,
        **wrong.get("confirm", {}),
    }
    confirmed = " ".join(f'{key}="{value}"' for key, value in confirm.items() if value is not None)
    audience = wrong.get("audience", question["issuer"])
    only = f"<a:AudienceRestriction><a:Audience>{audience}</a:Audience></a:AudienceRestriction>" if audience else ""
    said = {"mail": "lin@beiyuan.example", **wrong.get("said", {})}
    attributes = "".join(
        f'<a:Attribute Name="{key}"><a:AttributeValue>{value}</a:AttributeValue></a:Attribute>'
        for key, value in said.items()
    )
    return etree.fromstring(
        f'<a:Assertion xmlns:a="{A}" ID="_{secrets.token_hex(16)}" Version="2.0" IssueInstant="{begin}">'
        f"<a:Issuer>{wrong.get('issuer', 'https://idp.example')}</a:Issuer><a:Subject>"
        f'<a:NameID Format="{wrong.get("format", PERSISTENT)}">{wrong.get("name", "lin-1")}</a:NameID>'
        f'<a:SubjectConfirmation Method="{wrong.get("method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")}">'
        f"<a:SubjectConfirmationData {confirmed}/></a:SubjectConfirmation></a:Subject>"
        f'<a:Conditions NotBefore="{begin}" NotOnOrAfter="{end}">{only}</a:Conditions>'
        f'<a:AuthnStatement AuthnInstant="{begin}"><a:AuthnContext><a:AuthnContextClassRef>'
        f"urn:oasis:names:tc:SAML:2.0:ac:classes:Password</a:AuthnContextClassRef></a:AuthnContext></a:AuthnStatement>"
        f"<a:AttributeStatement>{attributes}</a:AttributeStatement></a:Assertion>"
    )


def sign(node: Any, *, key: str = "own", sha1: bool = False) -> Any:
    """The same, signed: its signature stands after its issuer."""
    method = xmlsec.Transform.RSA_SHA1 if sha1 else xmlsec.Transform.RSA_SHA256
    signature = xmlsec.template.create(node, xmlsec.Transform.EXCL_C14N, method)
    node.insert(1, signature)
    digest = xmlsec.Transform.SHA1 if sha1 else xmlsec.Transform.SHA256
    reference = xmlsec.template.add_reference(signature, digest, uri=f"#{node.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
    xmlsec.tree.add_ids(node, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(KEYS[key][0], xmlsec.KeyFormat.PEM)
    context.sign(signature)
    return node


def response(question: dict[str, str], *inside: Any, **wrong: Any) -> Any:
    """A response around assertions."""
    now = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    about = {"Destination": question["acs"], "InResponseTo": question["id"], **wrong}
    told = " ".join(f'{key}="{value}"' for key, value in about.items() if value is not None)
    root = etree.fromstring(
        f'<p:Response xmlns:p="{P}" ID="_{secrets.token_hex(16)}" Version="2.0" IssueInstant="{now}" {told}>'
        f'<a:Issuer xmlns:a="{A}">https://idp.example</a:Issuer>'
        f'<p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status></p:Response>'
    )
    for one in inside:
        root.append(one)
    return root


def coded(root: Any) -> str:
    return base64.b64encode(etree.tostring(root)).decode()
