"""Asks by SAML 2.0, and reads what metadata say of another system and what a response proves.

python3-saml reads; what it takes on trust (audience, recipient, whose question it answers) is asked for here.
"""

from __future__ import annotations

import base64
import binascii
import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from uptake.directory.sign_on.models import SignOn
from uptake.web.pages.sign_on.saml import NAME_ID, TRANSIENT, BadProof, NotMetadata, Ours, Proof

MISSING = ""
try:
    from onelogin.saml2.authn_request import OneLogin_Saml2_Authn_Request as Request
    from onelogin.saml2.constants import OneLogin_Saml2_Constants as Words
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser as Metadata
    from onelogin.saml2.response import OneLogin_Saml2_Response as Response
    from onelogin.saml2.settings import OneLogin_Saml2_Settings as Settings
    from onelogin.saml2.utils import OneLogin_Saml2_Utils as Tools
    from onelogin.saml2.xml_utils import OneLogin_Saml2_XML as Xml
except Exception as failure:  # not only ImportError: xmlsec refuses to load beside an lxml of another libxml2
    MISSING = f"{type(failure).__name__}: {failure}"[:200]

LONGEST = 300_000
"""Characters of a response that are read."""
SKEW = timedelta(seconds=300)
"""By how much the two clocks may differ: as python3-saml."""


def describe(ours: Ours) -> bytes:
    """Our metadata."""
    sp = {
        "entityId": ours.entity_id,
        "assertionConsumerService": {"url": ours.consume, "binding": Words.BINDING_HTTP_POST},
    }
    told = Settings({"strict": True, "sp": sp, "security": SECURITY}, sp_validation_only=True).get_sp_metadata()
    return told if isinstance(told, bytes) else str(told).encode()


def question(sign_on: SignOn, ours: Ours) -> tuple[str, str]:
    """(id of a new question, the address that a browser is sent to with it)."""
    settings = _settings(sign_on, ours)
    asked = Request(settings)
    address = Tools.redirect(sign_on.address, {"SAMLRequest": asked.get_request()}, {})
    return str(asked.get_id()), str(address)


def read_metadata(xml: str) -> tuple[str, str, str]:
    """(entity id, where browsers are sent, certificates in PEM) of the one system it describes. Raises NotMetadata."""
    try:
        root = Xml.to_etree(xml.encode())
        systems = Xml.query(root, "//md:IDPSSODescriptor")
        told = Metadata.parse(xml.encode(), required_sso_binding=Words.BINDING_HTTP_REDIRECT)
    except Exception as failure:  # whatever a parser says of whatever was pasted
        raise NotMetadata(type(failure).__name__) from failure
    idp = told.get("idp", {})
    where = idp.get("singleSignOnService", {})
    held = idp.get("x509certMulti", {}).get("signing") or [idp.get("x509cert", "")]
    if len(systems) != 1 or not idp.get("entityId") or where.get("binding") != Words.BINDING_HTTP_REDIRECT:
        raise NotMetadata("no one system with a sign-in address by HTTP-Redirect")
    try:
        pem = "\n".join(_pem(one) for one in held)
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError as failure:
        raise NotMetadata("no certificate that signs") from failure
    return str(idp["entityId"]), str(where["url"]), pem


def read_response(raw: str, *, sign_on: SignOn, ours: Ours) -> Proof:
    """What a response proves, whoever brought it. Raises BadProof.

    Signed is the assertion itself, and all that counts is read from it: the response around it may be anybody's.
    """
    if not raw or len(raw) > LONGEST:
        raise BadProof("no response, or too long a one")
    try:
        base64.b64decode(raw, validate=False)
        response = Response(_settings(sign_on, ours), raw)
        response.is_valid(_request(ours), raise_exceptions=True)
        return _proof(response, sign_on, ours)
    except BadProof:
        raise
    except binascii.Error as failure:
        raise BadProof("it is not encoded as it should be") from failure
    except Exception as failure:  # python3-saml, lxml and xmlsec have no common one
        raise BadProof(f"{type(failure).__name__}: {failure}"[:300]) from failure


def _proof(response: Any, sign_on: SignOn, ours: Ours) -> Proof:
    read = response._query_assertion
    audiences = [[Xml.element_text(one) for one in node] for node in read("/saml:Conditions/saml:AudienceRestriction")]
    # Every restriction must name us, and there must be one.
    if not audiences or not all(ours.entity_id in one for one in audiences):
        raise BadProof(f"it is not for us (audience), but for {audiences!s:.200}")
    asked, until = _confirmed(read("/saml:Subject/saml:SubjectConfirmation"), ours)
    around = response.get_in_response_to() or ""
    if around and around != asked:
        raise BadProof("the response answers another question than its assertion (InResponseTo)")
    issuers = [Xml.element_text(one) for one in read("/saml:Issuer")]
    if issuers != [sign_on.client]:
        raise BadProof("another system said so (issuer)")
    named = response.get_nameid_data()
    name = str(named.get("Value") or "").strip()
    said: dict[str, Any] = {**response.get_friendlyname_attributes(), **response.get_attributes(), NAME_ID: [name]}
    said = {key: [one for one in values if isinstance(one, str)] for key, values in said.items()}
    subject = name
    if wanted := sign_on.settings.get("subject"):
        found = said.get(str(wanted), [])
        subject = found[0] if len(found) == 1 else ""
    elif named.get("Format") == TRANSIENT:
        raise BadProof("its NameID is another one each time (transient): name an attribute that stays")
    if not 0 < len(subject) <= 255:
        raise BadProof("names nobody")
    return Proof(str(response.get_assertion_id()), subject, said, asked, until)


def _confirmed(nodes: list[Any], ours: Ours) -> tuple[str, datetime]:
    """(the question it answers, when it runs out) of the one confirmation for whoever brings it, sent to us, now."""
    now = datetime.now(UTC)
    for node in nodes:
        data = node.find("saml:SubjectConfirmationData", namespaces=Words.NSMAP)
        if node.get("Method") != Words.CM_BEARER or data is None or data.get("Recipient") != ours.consume:
            continue
        end = data.get("NotOnOrAfter")
        if end and datetime.fromtimestamp(Tools.parse_SAML_to_time(end), UTC) + SKEW > now:
            return data.get("InResponseTo") or "", datetime.fromtimestamp(Tools.parse_SAML_to_time(end), UTC) + SKEW
    raise BadProof("it was not sent to us, or says not until when (Recipient, NotOnOrAfter)")


SECURITY: Mapping[str, Any] = {
    "wantAssertionsSigned": True,
    "wantNameId": True,
    "wantAttributeStatement": False,
    "allowRepeatAttributeName": True,
    "requestedAuthnContext": False,
    "rejectDeprecatedAlgorithm": True,
    "allowSingleLabelDomains": True,
}


def _settings(sign_on: SignOn, ours: Ours) -> Any:
    held = x509.load_pem_x509_certificates(str(sign_on.settings["certificates"]).encode())
    signing = [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in held]
    return Settings(
        {
            "strict": True,
            "debug": False,
            "sp": {
                "entityId": ours.entity_id,
                "assertionConsumerService": {"url": ours.consume, "binding": Words.BINDING_HTTP_POST},
                "NameIDFormat": Words.NAMEID_UNSPECIFIED,
            },
            "idp": {
                "entityId": sign_on.client,
                "singleSignOnService": {"url": sign_on.address, "binding": Words.BINDING_HTTP_REDIRECT},
                "x509certMulti": {"signing": signing},
            },
            "security": dict(SECURITY),
        }
    )


def _request(ours: Ours) -> dict[str, Any]:
    parts = urlsplit(ours.consume)
    secure = "on" if parts.scheme == "https" else "off"
    return {"https": secure, "http_host": parts.netloc, "script_name": parts.path, "get_data": {}, "post_data": {}}


def _pem(text: str) -> str:
    plain = "".join(text.replace("-----BEGIN CERTIFICATE-----", "").replace("-----END CERTIFICATE-----", "").split())
    body = "\n".join(textwrap.wrap(plain, 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"
