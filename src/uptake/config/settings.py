"""Django's settings, made from the options of the installation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from uptake.config.database import database
from uptake.config.options import address, data_folder, option
from uptake.config.secrets import proof_key, secret_key
from uptake.connectors.probes.allowed import allowed_from

# The matrices of an evaluation are small: more threads only wait for each other, at many times the CPU (decision 30).
# Set before anything loads numpy; whoever wants otherwise says so in the environment.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

PACKAGE = Path(__file__).resolve().parent.parent
DATA = data_folder()
DEBUG = False
SECRET_KEY = option("UPTAKE_SECRET_KEY") or secret_key(DATA)
PROOF_KEY = proof_key(DATA)
"""Signs what people take away of their points; its public half stands at /points/proof-key/."""
DEMO = option("UPTAKE_DEMO") == "yes"
URL = urlsplit(address())
HTTPS = URL.scheme == "https"
ALLOWED_HOSTS = [host for host in [URL.hostname or "", *option("UPTAKE_HOSTS").split(",")] if host]
CSRF_TRUSTED_ORIGINS = [f"{URL.scheme}://{URL.netloc}"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "axes",
    "csp",
    "django_htmx",
    "uptake.directory",
    "uptake.directory.sign_on",
    "uptake.ledger",
    "uptake.events",
    "uptake.notify",
    "uptake.connectors",
    "uptake.connectors.people",
    "uptake.programme",
    "uptake.programme.merits",
    "uptake.programme.rewards",
    "uptake.programme.drafting",
    "uptake.programme.governance",
    "uptake.programme.community",
    "uptake.programme.adoption",
    "uptake.programme.retroactive",
    "uptake.insight",
    "uptake.insight.gaming",
    "uptake.insight.impact",
    "uptake.insight.report",
    "uptake.jobs",
    "uptake.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "uptake.config.headers.Headers",
    "uptake.web.static_files.StaticFiles",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
    "uptake.web.deeds.BackToThePage",
    "uptake.web.halted.Halted",
    "uptake.web.preferences.Preferences",
]
ROOT_URLCONF = "uptake.config.urls"
ASGI_APPLICATION = "uptake.config.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "uptake.web.shell.shell",
            ],
        },
    }
]
DATABASES = {"default": database(option("UPTAKE_DATABASE_URL"), DATA)}
REMEMBERED_SECONDS = 3
ACTIVITY_MEMORY_MB = int(option("UPTAKE_MEMORY_MB"))
ACTIVITY_FILES = option("UPTAKE_ACTIVITY_FILES")
ACTIVITY_BUCKETS = int(option("UPTAKE_ACTIVITY_BUCKETS"))
CLUSTER = option("UPTAKE_CLUSTER")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# In the database, so that the limits below hold for all processes together; "own" is this process's memory.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "uptake_cache"},
    "own": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

AUTH_USER_MODEL = "directory.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = option("UPTAKE_LANGUAGE")
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [PACKAGE / "web" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = option("UPTAKE_TIMEZONE")
COUNTRY = option("UPTAKE_COUNTRY")

STATIC_URL = "/static/"
STATIC_ROOT = PACKAGE / "web" / "static_built"
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.AppDirectoriesFinder"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "uptake.web.static_files.Storage"},
}
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").exists()

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_SSL_REDIRECT = False
# uvicorn sets scheme and address of a request from X-Forwarded-* of the proxies named in UPTAKE_PROXIES; nobody else's.
SECURE_PROXY_SSL_HEADER = None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}

# Without a mail server mails are kept where only the owner reads them: they hold links that let people in.
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = DATA / "mails"
EMAIL_TIMEOUT = 20
if option("UPTAKE_EMAIL_URL"):
    _mail = urlsplit(option("UPTAKE_EMAIL_URL"))
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or "localhost"
    EMAIL_PORT = _mail.port or 25
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_TLS = _mail.scheme == "smtp+tls"
    EMAIL_USE_SSL = _mail.scheme == "smtps"
DEFAULT_FROM_EMAIL = option("UPTAKE_EMAIL_FROM")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "uptake.config.redacted_log.RedactedFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": option("UPTAKE_LOG_LEVEL")},
}

INTAKE_EVENTS_PER_SECOND = int(option("UPTAKE_INTAKE_RATE"))
INTAKE_QUEUE = int(option("UPTAKE_INTAKE_QUEUE"))
PROBE_HOSTS = option("UPTAKE_PROBE_HOSTS")
allowed_from(PROBE_HOSTS)  # a list that cannot be read shows at the start, not at the first probe

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# Nobody signs up: addresses come from the directory, and a link to choose a password leaves one that reads unverified.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MESSAGE_TAGS = {10: "info", 20: "info", 25: "good", 30: "warn", 40: "bad"}
CSRF_FAILURE_VIEW = "uptake.web.errors.csrf_failed"
FORMAT_MODULE_PATH = ["uptake.config.formats"]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
ACCOUNT_ADAPTER = "uptake.web.pages.account.adapter.ClosedAdapter"
SOCIALACCOUNT_ADAPTER = "uptake.web.pages.sign_on.adapter.SignOnAdapter"
# What other systems say is not kept, and a link may lead to them: a form may not, as its target is this house only.
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/account/login/"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
MFA_TOTP_ISSUER = "Uptake"
# A phone's clock may be half a minute off (RFC 6238, 5.2).
MFA_TOTP_TOLERANCE = 1
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "10/m/ip,3/10m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
}
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "uptake.web.pages.account.lockout.name_tried"
AXES_LOCKOUT_CALLABLE = "uptake.web.pages.account.lockout.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_VERBOSE = False
