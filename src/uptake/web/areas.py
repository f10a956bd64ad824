"""The one list of areas: each is a folder under pages/ (or api/) that brings its own urls.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """A folder of pages and the prefix of its addresses."""

    prefix: str
    urls: str


AREAS: tuple[Area, ...] = (
    Area("", "uptake.web.pages.home.urls"),
    Area("account/", "uptake.web.pages.account.urls"),
    Area("account/with/", "uptake.web.pages.sign_on.urls_with"),
    Area("messages/words/", "uptake.web.pages.wording.urls"),
    Area("messages/", "uptake.web.pages.inbox.urls"),
    Area("overview/", "uptake.web.pages.overview.urls"),
    Area("activity/ask/", "uptake.web.pages.explore.urls"),
    Area("activity/segments/", "uptake.web.pages.segments.urls"),
    Area("activity/views/", "uptake.web.pages.views.urls"),
    Area("activity/activation/", "uptake.web.pages.activation.urls"),
    Area("activity/", "uptake.web.pages.activity.urls"),
    Area("people/sign-on/", "uptake.web.pages.sign_on.urls"),
    Area("people/sources/", "uptake.web.pages.people_sources.urls"),
    Area("people/seats/", "uptake.web.pages.seats.urls"),
    Area("people/", "uptake.web.pages.people.urls"),
    Area("data/people/", "uptake.web.pages.identities.urls"),
    Area("data/", "uptake.web.pages.data.urls"),
    Area("events/", "uptake.web.pages.events.urls"),
    Area("calendar/", "uptake.web.pages.calendar.urls"),
    Area("audit/", "uptake.web.pages.audit.urls"),
    Area("jobs/", "uptake.web.pages.jobs.urls"),
    Area("", "uptake.web.live.urls"),
    Area("collector/", "uptake.web.collector.urls"),
    Area("widget/", "uptake.web.widget.urls"),
    Area("demo/erp/", "uptake.web.pages.demo_host.urls"),
    Area("rewards/", "uptake.web.pages.rewards.urls"),
    Area("points/", "uptake.web.pages.points.urls"),
    Area("boards/", "uptake.web.pages.boards.urls"),
    Area("merits/", "uptake.web.pages.merits.urls"),
    Area("rules/build/", "uptake.web.pages.building.urls"),
    Area("rules/afterwards/", "uptake.web.pages.retroactive.urls"),
    Area("rules/", "uptake.web.pages.rules.urls"),
    Area("news/", "uptake.web.pages.adoption.urls_news"),
    Area("guide/newcomers/", "uptake.web.pages.adoption.urls_newcomers"),
    Area("guide/", "uptake.web.pages.adoption.urls_guide"),
    Area("trainings/", "uptake.web.pages.adoption.urls_trainings"),
    Area("feedback/desk/", "uptake.web.pages.adoption.urls_desk"),
    Area("feedback/", "uptake.web.pages.adoption.urls_feedback"),
    Area("community/recognition/", "uptake.web.pages.community.urls_recognition"),
    Area("community/desk/", "uptake.web.pages.community.urls_desk"),
    Area("community/", "uptake.web.pages.community.urls"),
    Area("impact/", "uptake.web.pages.impact.urls"),
    Area("committee/", "uptake.web.pages.committee.urls"),
    Area("appeals/", "uptake.web.pages.appeals.urls"),
    Area("gaming/", "uptake.web.pages.gaming.urls"),
    Area("fairness/", "uptake.web.pages.fairness.urls"),
    Area("transparency/", "uptake.web.pages.transparency.urls"),
    Area("scim/v2/", "uptake.web.scim.urls"),
    Area("api/v1/hooks/", "uptake.web.hooks.urls"),
    Area("api/v1/", "uptake.web.api.urls"),
)
