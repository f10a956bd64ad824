"""Run by the Python of .canaille, never by ours: makes what its input says (`identity_provider.py`), and serves."""

import asyncio
import json
import sys

import canaille
from asgiref.wsgi import WsgiToAsgi
from canaille.app import models
from canaille.backends import Backend
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypercorn.asyncio import serve
from hypercorn.config import Config

told = json.load(sys.stdin)
pem, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(pem, pkcs8, plain).decode()
app = canaille.create_app(
    config={
        "SECRET_KEY": "of this run only, and long enough for it",
        "SERVER_NAME": f"localhost:{told['port']}",
        "PREFERRED_URL_SCHEME": "http",
        "CANAILLE": {"DATABASE": "sql"},
        "CANAILLE_SQL": {"DATABASE_URI": f"sqlite:///{told['database']}"},
        "CANAILLE_OIDC": {
            "ACTIVE_JWKS": [key],
            # It has no claim of its own for a staff number. People there may read theirs and not write it.
            "USERINFO_MAPPING": {"PREFERRED_USERNAME": "{{ user.employee_number }}"},
        },
    }
)
with app.app_context():
    Backend.instance.install(app)
    with Backend.instance.session():
        for one in told["accounts"]:
            Backend.instance.save(
                models.User(
                    user_name=one["login"],
                    password=one["password"],
                    emails=[one["email"]],
                    employee_number=one["number"],
                    family_name=one["name"],
                    formatted_name=one["name"],
                )
            )
        for one in told["applications"]:
            client = models.Client(
                client_id=one["client"],
                client_secret=one["secret"],
                client_name="Uptake",
                client_uri="http://uptake.example",
                redirect_uris=[one["back"]],
                scope=["openid", "profile", "email"],
                grant_types=["authorization_code"],
                response_types=["code"],
                token_endpoint_auth_method="client_secret_post",
            )
            Backend.instance.save(client)
            if one["audience"]:
                client.audience = [client]
                Backend.instance.save(client)
print("ready", flush=True)
config = Config()
config.bind = [f"localhost:{told['port']}"]
asyncio.run(serve(WsgiToAsgi(app), config))  # type: ignore[no-untyped-call]
