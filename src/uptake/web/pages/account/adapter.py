"""How allauth behaves here: nobody signs up by themselves, and a password does only where the place lets it."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from uptake.directory.models import User
from uptake.directory.sign_on.let_in import only_way_for


class ClosedAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Logins are made by those who manage people."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: User, **about: Any) -> HttpResponse | None:
        """Refuses a right password where another system is the only way in; closed logins as always."""
        refusal: HttpResponse | None = super().pre_login(request, user, **about)
        # Who comes by another system: by a protocol of allauth's, or one of ours (`sign_on/come_in.py`).
        if refusal is not None or {"sociallogin", "sign_on"} & set(about.get("signal_kwargs") or {}):
            return refusal
        way = only_way_for(user, now=timezone.now())
        return None if way is None else render(request, "sign_on/only_way.html", {"way": way}, status=403)
