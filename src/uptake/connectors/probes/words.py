"""What a probe saw: codes and their sentences."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CODES: Mapping[str, Promise] = {
    "answered": _("It answers."),
    "leads_elsewhere": _("It answers and leads to another host, which is not followed."),
    "status": _("It answers with an error."),
    "in_circles": _("It sends us round in circles."),
    "too_slow": _("It did not answer within ten seconds."),
    "refused": _("Nothing takes connections there."),
    "unreachable": _("The connection broke off."),
    "no_name": _("The name of the host leads nowhere."),
    "no_tls": _("It speaks no TLS."),
    "no_http": _("It speaks no HTTP."),
    "certificate": _("Its certificate is not trusted by this server."),
    "certificate_ended": _("Its certificate has ended."),
    "certificate_of_other": _("Its certificate is that of another host."),
    "private": _("The name leads to a private address, which the list of the installation does not name."),
    "not_allowed": _("The host is not on the list of the installation any more; it is not asked."),
}
