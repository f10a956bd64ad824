"""Addresses of impact."""

from django.urls import path

from uptake.web.pages.impact import (
    began,
    claim,
    costs,
    lots,
    metrics_page,
    monthly,
    outages,
    own,
    series_database,
    series_pages,
    sharing,
    views,
)

app_name = "impact"
urlpatterns = [
    path("", views.home, name="home"),
    path("new/", views.new, name="new"),
    path("metrics/", metrics_page.metrics, name="metrics"),
    path("metrics/<slug:key>/", metrics_page.metric, name="metric"),
    path("outages/", outages.home, name="outages"),
    path("outages/<int:outage_id>/", outages.end, name="end_outage"),
    path("claim/", claim.home, name="claim"),
    path("series/", series_pages.home, name="series"),
    path("series/<int:series_id>/", series_pages.one, name="one_series"),
    path("series/<int:series_id>/database/", series_database.database, name="series_database"),
    path("series/<int:series_id>/<int:version_id>/withdraw/", series_pages.withdraw, name="withdraw_series"),
    path("<int:intervention_id>/", views.one, name="one"),
    path("monthly/", monthly.home, name="monthly"),
    path("monthly/<int:report_id>/", monthly.one, name="month"),
    path("monthly/<int:report_id>/report.pdf", monthly.pdf, name="month_pdf"),
    path("<int:intervention_id>/began/", began.home, name="began"),
    path("<int:intervention_id>/drawn.csv", lots.drawn, {"kind": "csv"}, name="drawn_csv"),
    path("<int:intervention_id>/drawn.xlsx", lots.drawn, {"kind": "xlsx"}, name="drawn_xlsx"),
    path("<int:intervention_id>/own/", own.own, name="own"),
    path("<int:intervention_id>/cost/", costs.note, name="cost"),
    path("<int:intervention_id>/links/", sharing.links, name="links"),
    path("<int:intervention_id>/links/<int:link_id>/revoke/", sharing.revoke, name="link_revoke"),
    path("shared/<str:secret>/", sharing.shared, name="shared"),
    path("shared/<str:secret>/report.pdf", sharing.shared_pdf, name="shared_pdf"),
    path("<int:intervention_id>/self-test/", views.self_test, name="self_test"),
    path("<int:intervention_id>/report.json", views.report, name="report"),
    path("<int:intervention_id>/report.pdf", views.report_pdf, name="report_pdf"),
    path("<int:intervention_id>/report.xlsx", views.report_xlsx, name="report_xlsx"),
]
