"""An issuer of OpenID Connect for tests, on a free port: strict with us, and wrong in whatever way a test asks."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "uptake", "issuer-secret"
KEYS = {name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in ("own", "other")}


class Issuer:
    """`said` are the claims of whoever signs in there, `twist` what is changed in the token, `header` in its head."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.said: dict[str, Any] = {"sub": "lin-1", "email": "lin@beiyuan.example", "email_verified": True}
        self.twist: dict[str, Any] = {}
        self.alg, self.key, self.calls_itself = "RS256", "own", address
        self.beside: dict[str, Any] = {}
        self.more: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.used: list[str] = []

    def describe(self) -> dict[str, Any]:
        return {
            "issuer": self.calls_itself,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **self.more,
        }

    def keys(self) -> dict[str, Any]:
        one = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS["own"].public_key()))
        return {"keys": [{**one, "kid": "k1", "use": "sig", "alg": "RS256"}]}

    def sign_in(self, address: str) -> str:
        """What its page does with a browser sent to `address`: the address it is sent back to."""
        asked = {key: value[0] for key, value in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode()
        if (
            asked is None
            or form.get("client_secret") != SECRET
            or form.get("redirect_uri") != asked["redirect_uri"]
            or proof.rstrip("=") != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.said,
            **self.twist,
        }
        claims = {key: value for key, value in claims.items() if value is not None}
        key: Any = {"none": None, "HS256": SECRET * 4}.get(self.alg, KEYS[self.key])
        token = jwt.encode(claims, key, algorithm=self.alg, headers={"kid": "k1"})
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": token}


@contextmanager
def issuer() -> Iterator[Issuer]:
    """One that answers until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/.well-known/openid-configuration":
                    self._say(200, held.describe())
                case "/keys":
                    self._say(200, held.keys())
                case "/userinfo":
                    self._say(200, {**held.said, **held.beside})
                case _:
                    self._say(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._say(*held.token({key: value[0] for key, value in parse_qs(body).items()}))

        def _say(self, status: int, told: dict[str, Any]) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_about: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held = Issuer(f"http://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
