"""Does a deed of the directory for a page: in one transaction, and says what came of it or why it was refused."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest

from uptake.directory.scope import Deed, NotAllowed
from uptake.web.pages.people.refusals import REFUSALS, in_words
from uptake.web.viewing import NotYours


def done(request: HttpRequest, deed: Callable[[], str], form: BaseForm | None = None) -> bool:
    """Whether the deed was done; `deed` gives the sentence that says so.

    A refusal is said in words: on the form where there is one, else above the next page. Raises NotYours.
    """
    try:
        with transaction.atomic():
            said = deed()
    except NotAllowed:
        raise NotYours(Deed.MANAGE_PEOPLE) from None
    except REFUSALS as refusal:
        if form is None:
            messages.error(request, in_words(refusal))
        else:
            form.add_error(None, in_words(refusal))
        return False
    messages.success(request, said)
    return True
