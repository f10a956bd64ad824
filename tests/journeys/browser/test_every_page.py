"""Every page, in both languages and both themes, at the desk and on the phone: whole, quiet, and open to everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.browser.watched import PHONE, Front

pytestmark = pytest.mark.browser

WORLD = """
from datetime import timedelta
from django.utils import timezone
from tests.journeys.world import build_world, put_both_aside
from uptake.events.happening import Happening
from uptake.events.models import Connection
from uptake.events.record import record
world = put_both_aside(build_world(cast, folder))
now = timezone.now()
busy = [cast.lin, cast.hua, cast.ke, cast.wei, cast.ren, cast.shu]
erp = Connection.objects.get(slug="beiyuan-erp")
record([
    Happening(event=name, key=f"{name}-{day}-{who.pk}", at=now - timedelta(days=day, hours=1), object=f"BY-{day}",
              person=f"busy-{who.pk}", person_name=who.name, person_email=who.email, facts={"amount": day})
    for day in range(1, 6) for who in busy[: day + 1] for name in ("order.processed", "stock.counted")
], connection=erp, now=now)
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import allow_page_events, connect
from uptake.events.keys import make_key
portal = connect(slug="portal", kind="browser", name="Portal", organization=cast.beiyuan, by=EVERYTHING, now=now)
allow_page_events(connection=portal, names=["report.opened"], by=EVERYTHING, now=now)
make_key(connection=portal, by=EVERYTHING, now=now, allowed_origins=["https://portal.example"])
from uptake.directory.sign_on.models import Protocol, SignOn
from uptake.directory.sign_on.set_up import Setup, set_up
told = {"address": "ldaps://ldap.example", "client": "cn=uptake,dc=x", "secret": "s", "number_claim": "employeeNumber"}
ldap = set_up(protocol=Protocol.LDAP, organization=cast.beiyuan, by=EVERYTHING, now=now,
              setup=Setup("Directory", "Directory", settings={"base": "dc=x"}, **told))
print(json.dumps(world.beiyuan.ids | {"ldap": ldap.pk, "ldap_slug": ldap.slug}))
"""

MENU: Mapping[str, tuple[str, ...]] = {
    "lin": ("/points/", "/boards/", "/rewards/", "/events/", "/rules/", "/community/", "/news/", "/account/"),
    "hua": (
        "/points/",
        "/boards/",
        "/rewards/",
        "/overview/",
        "/activity/",
        "/impact/",
        "/events/",
        "/rules/",
        "/community/",
        "/news/",
        "/people/",
        "/account/",
    ),
    "ren": (
        "/points/",
        "/boards/",
        "/rewards/",
        "/overview/",
        "/activity/",
        "/impact/",
        "/events/",
        "/rules/",
        "/community/",
        "/news/",
        "/data/",
        "/people/",
        "/audit/",
        "/account/",
    ),
    "an": ("/jobs/",),
}
"""What the menu offers to the employee, the manager, the operator and the administrator."""
INNER: Mapping[str, tuple[str, ...]] = {
    "": ("/account/login/", "/account/password/reset/", "/account/with/{ldap_slug}/"),
    "lin": (
        "/rewards/mine/",
        "/merits/",
        "/merits/challenges/{challenge}/",
        "/account/password/change/",
        "/account/2fa/",
        "/account/logout/",
        "/account/tokens/",
        "/account/messages/",
        "/messages/",
        "/committee/",
        "/committee/{proposal}/",
        "/appeals/",
        "/appeals/{appeal}/",
        "/transparency/",
        "/community/{post}/",
        "/community/recognition/",
        "/news/{announcement}/",
        "/guide/",
        "/trainings/",
        "/trainings/{training}/",
        "/feedback/",
        "/feedback/{feedback}/",
        "/activity/people/{person}/",
    ),
    "ren": (
        "/committee/new/",
        "/committee/lower/?at={slug}",
        "/committee/settings/?at={slug}",
        "/appeals/desk/",
        "/community/desk/?at={slug}",
        "/news/new/",
        "/trainings/new/",
        "/trainings/{training}/",
        "/guide/newcomers/?at={slug}",
        "/guide/steps/?at={slug}",
        "/feedback/desk/?at={slug}",
        "/feedback/{feedback}/",
        "/merits/desk/?at={slug}",
        "/merits/desk/challenges/?at={slug}",
        "/merits/desk/prizes/?at={slug}",
        "/rewards/desk/?at={slug}",
        "/rewards/desk/catalogue/?at={slug}",
        "/rewards/desk/catalogue/new/?at={slug}",
        "/rewards/desk/leave/?at={slug}",
        "/rewards/desk/special/?at={slug}",
        "/rewards/desk/liability/?at={slug}",
        "/rewards/desk/leaving/?at={slug}",
        "/activity/{slug}/",
        "/activity/{department_slug}/",
        "/activity/people/{person}/",
        "/activity/activation/",
        "/activity/activation/?at={slug}&step=never",
        "/people/sign-on/",
        "/people/sign-on/{sign_on}",
        "/people/sign-on/{sign_on}/change",
        "/people/sign-on/new/oidc",
        "/people/sign-on/new/saml",
        "/people/sign-on/new/ldap",
        "/people/sign-on/new/wecom",
        "/people/sign-on/new/dingtalk",
        "/people/sign-on/new/feishu",
        "/people/sign-on/{ldap}",
        "/people/sign-on/{ldap}/change",
        "/people/seats/",
        "/people/seats/import/",
        "/people/sources/",
        "/people/sources/new/ldap/",
        "/people/sources/new/scim/",
        "/people/sources/new/wecom/",
        "/people/sources/{people_source}/",
        "/people/seats/products/?new=1",
        "/activity/ask/trends/",
        "/activity/ask/trends/?by=department&every=week&where=amount:gt:2",
        "/activity/ask/active/",
        "/activity/ask/active/?every=week&compare=park",
        "/activity/ask/silence/",
        "/activity/ask/matrix/",
        "/activity/ask/silence/?untold=1&silent=14&sort=-used",
        "/activity/ask/trends/people/?number=%7B%7D",
        "/activity/ask/retention/",
        "/activity/ask/retention/?by=department&every=day&mode=first_time",
        "/activity/ask/lifecycle/",
        "/activity/ask/lifecycle/?who=companies",
        "/activity/ask/stickiness/",
        "/activity/ask/sessions/",
        "/activity/ask/funnel/",
        "/activity/ask/funnel/?by=department&step=order.processed&as=&step=stock.counted&as=first&without=order.created",
        "/activity/ask/paths/",
        "/activity/ask/paths/?steps_are=category&start=stock&count=people",
        "/account/tokens/",
        "/activity/views/",
        "/activity/segments/",
        "/activity/segments/{segment}/",
        "/activity/segments/{segment}/edit/",
        "/activity/segments/new/?c0_kind=stopped&c0_event=order.processed&c1_kind=in",
        "/points/{person}/",
        "/events/{event}",
        "/events/catalogue/",
        "/data/imports/",
        "/data/imports/{run}",
        "/data/connections/new",
        "/data/systems/new",
        "/data/systems/new/tryton",
        "/data/systems/new/yonsuite",
        "/data/connections/beiyuan-erp",
        "/data/connections/beiyuan-erp/keys/{key}",
        "/data/connections/beiyuan-tracker",
        "/data/connections/beiyuan-erp/widget",
        "/data/connections/portal",
        "/data/connections/portal/demo",
        "/data/quarantine/",
        "/data/conflicts/",
        "/data/chats/",
        "/messages/words/",
        "/messages/words/{worded_place}/redemption.approved/",
        "/data/probes/",
        "/data/webhooks/",
        "/data/webhooks/{webhook}",
        "/data/webhooks/{webhook}/{delivery}",
        "/data/people/",
        "/people/{person}/",
        "/people/{person}/edit/",
        "/people/{person}/erase/",
        "/people/new/",
        "/people/import/",
        "/people/places/{department_slug}/",
        "/calendar/",
        "/calendar/leave/",
        "/rules/publish/",
        "/rules/afterwards/?at={slug}",
        "/fairness/?at={slug}",
        "/gaming/?at={slug}",
        "/gaming/{finding}/",
        "/impact/new/?at={slug}",
        "/impact/{intervention}/",
        "/impact/{intervention}/own/",
        "/impact/{intervention}/began/",
        "/impact/{intervention}/links/",
        "/impact/metrics/?at={slug}",
        "/impact/metrics/active/?at={slug}",
        "/impact/series/",
        "/impact/series/{business_series}/",
        "/impact/series/{business_series}/database/",
        "/impact/outages/",
        "/impact/claim/",
        "/impact/monthly/?at={slug}",
        "/impact/monthly/{monthly_report}/",
        "/rules/build/",
        "/rules/build/new/",
        "/rules/build/{draft}/",
        "/rules/build/{draft}/exploits/",
        "/rules/build/{draft}/rule/0/",
        "/rules/build/{draft}/part/multipliers/",
        "/rules/build/{draft}/part/examples/",
        "/rules/build/{draft}/report/{report}/",
    ),
}
"""Pages one reaches from those of the menu."""
EVERY = [(who, address) for pages in (MENU, INNER) for who, addresses in pages.items() for address in addresses]
WHO = list(dict.fromkeys(who for who, _ in EVERY))
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
ABOUT = """() => ({
    lang: document.documentElement.lang,
    title: document.title,
    headings: [...document.querySelectorAll("h1")].filter((one) => one.checkVisibility()).map((one) => one.innerText),
    unnamed: [...document.querySelectorAll("th[aria-sort]")].filter((one) => !one.querySelector("a, button")).length,
    wide: document.documentElement.scrollWidth - innerWidth,
    beyond: [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1
        && !one.closest(".table-responsive, .u-tabbar, svg")).slice(0, 4).map((one) => one.cloneNode().outerHTML),
    first: document.querySelector("a, button, input, select, textarea, summary, [tabindex='0']").getAttribute("href"),
})"""
"""What the essentials are judged by, asked in the page itself."""


@pytest.fixture(scope="module")
def axe() -> Axe:
    return Axe()


def pages_of(front: Front, who: str) -> Iterator[str]:
    for one, address in EVERY:
        if one == who:
            yield address.format(**front.world)


def open_page(page: Page, address: str) -> None:
    """Opens a page and waits for what its scripts bring: the charts that lie in view."""
    page.goto(address)
    page.wait_for_function(
        """() => [...document.querySelectorAll(".plot")].every((one) => one.querySelector("svg")
            || one.getBoundingClientRect().top > innerHeight || one.getBoundingClientRect().bottom < 0)"""
    )


def violations(axe: Axe, page: Page, *, rules: dict[str, Any], within: str = "html") -> list[str]:
    """One line for each part of the page that breaks a rule."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe.axe_script)  # half a megabyte to compile: once for each page that is opened
    options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
    told = page.evaluate(
        "([within, options]) => axe.run(within, options).then((found) => found.violations)", [within, options]
    )
    return [
        f"{found['id']}: {node['html'][:160]} ({'; '.join(one['message'] for one in node['any'][:1])})"
        for found in told
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("who", list(MENU))
def test_the_menu_is_known_here(front: Front, who: str) -> None:
    """So that a page added to the menu is looked over like the others."""
    with front.tab(who) as (page, _):
        page.goto("/account/")
        offered = page.locator(".u-side .u-nav a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    visited = {address for addresses in MENU.values() for address in addresses}
    assert offered
    assert not set(offered) - visited, "add the page to MENU"
    assert who == "an" or set(offered) == set(MENU[who]) - {"/account/"}


@pytest.mark.parametrize("who", WHO)
def test_every_page_is_open_to_everybody_in_light_and_in_dark(front: Front, axe: Axe, who: str) -> None:
    wrong = []
    with front.tab(who) as (page, _):
        for nth, address in enumerate(pages_of(front, who)):
            within = "main" if nth else "html"  # the frame is the same on every page of a person
            open_page(page, address)
            about = page.evaluate(ABOUT)
            if about["lang"] != "en" or len(about["headings"]) != 1 or about["unnamed"] or about["first"] != "#main":
                wrong.append(f"{address}: {about}")
            wrong += [f"{address} {told}" for told in violations(axe, page, rules=WCAG, within=within)]
            page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
            contrast = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
            wrong += [f"{address} dark, {told}" for told in violations(axe, page, rules=contrast, within=within)]
    assert not wrong, "\n".join(wrong)


def test_refusals_are_pages_like_the_others(front: Front, axe: Axe) -> None:
    refused = {(404, "/there-is-no-such-page/"), (403, "/people/")}
    with front.tab("lin", expected=refused) as (page, _):
        for status, address in sorted(refused):
            answer = page.goto(address)
            assert answer is not None
            assert answer.status == status
            assert len(page.evaluate(ABOUT)["headings"]) == 1
            assert not violations(axe, page, rules=WCAG)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("who", WHO)
def test_no_page_scrolls_sideways_on_the_phone(front: Front, who: str, language: str) -> None:
    wrong = []
    with front.tab(who, language=language, size=PHONE) as (page, _):
        for address in pages_of(front, who):
            page.goto(address)
            about = page.evaluate(ABOUT)
            lang = "zh-Hans" if language == "zh-hans" else "en"
            if about["wide"] > 0 or about["lang"] != lang or len(about["headings"]) != 1:
                wrong.append(f"{address}: {about}")
    assert not wrong, "\n".join(wrong)
