"""Addresses of the rule builder."""

from django.urls import path

from uptake.web.pages.building import edit, exploits, reports, views

app_name = "building"
urlpatterns = [
    path("", views.home, name="home"),
    path("new/", views.new, name="new"),
    path("<int:draft_id>/", views.draft, name="draft"),
    path("<int:draft_id>/do/", views.do, name="do"),
    path("<int:draft_id>/export.<slug:kind>", views.export, name="export"),
    path("<int:draft_id>/rule/<int:index>/", edit.rule, name="rule"),
    path("<int:draft_id>/rule/<int:index>/fields/", edit.rule_fields, name="rule-fields"),
    path("<int:draft_id>/rule/<int:index>/look/", edit.look, name="look"),
    path("<int:draft_id>/rule/<int:index>/quick/", edit.quick, name="quick"),
    path("<int:draft_id>/part/<slug:key>/", edit.part, name="part"),
    path("<int:draft_id>/runs/", reports.runs, name="runs"),
    path("<int:draft_id>/exploits/", exploits.exploits, name="exploits"),
    path("<int:draft_id>/exploits/state/", exploits.search_state, name="exploit-state"),
    path("<int:draft_id>/exploits/do/", exploits.search_do, name="exploit-do"),
    path("<int:draft_id>/report/<int:report_id>/", reports.report, name="report"),
]
