"""What allauth says on the pages and in the letters we use: listed so that our own translation is the one read.

The catalogue of this package stands before those of the installed ones, so a text listed here follows our way of
writing; the English stays allauth's.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_noop as _
from django.utils.translation import pgettext_lazy

WORDS: tuple[str | Promise, ...] = (
    pgettext_lazy("field label", "Login"),
    _("Username or email"),
    _("Incorrect code."),
    _("Please type your current password."),
    _("The email address and/or password you specified are not correct."),
    _("The username and/or password you specified are not correct."),
    _("The password reset token was invalid."),
    _("Be patient, you are sending too many requests."),
    _("Use your password"),
    _("You cannot deactivate two-factor authentication."),
    _("You cannot generate recovery codes without having two-factor authentication enabled."),
    _("You cannot activate two-factor authentication until you have verified your email address."),
    _("You have signed out."),
    _("Hello from %(site_name)s!"),
    _("Thank you for using %(site_name)s!\n%(site_domain)s"),
    _("Password Reset Email"),
    _(
        "You're receiving this email because you or someone else has requested a password reset for your user account."
        "\nIt can be safely ignored if you did not request a password reset. "
        "Click the link below to reset your password."
    ),
    _("In case you forgot, your username is %(username)s."),
    _("Your password has been changed."),
    _("Your password has been reset."),
)
