"""Addresses of the rewards: for people, and of the desk."""

from __future__ import annotations

from django.urls import path

from uptake.web.pages.rewards import catalogue, desk, leaving, liability, special, views

app_name = "rewards"
urlpatterns = [
    path("", views.home, name="home"),
    path("mine/", views.mine, name="mine"),
    path("mine/<int:redemption_id>/", views.redemption, name="redemption"),
    path("mine/<int:redemption_id>/code/", views.code, name="code"),
    path("mine/<int:redemption_id>/file/", views.file, name="file"),
    path("mine/<int:redemption_id>/cancel/", views.cancel, name="cancel"),
    path("pictures/<int:reward_id>/", views.picture, name="picture"),
    path("<int:reward_id>/", views.reward, name="reward"),
    path("<int:reward_id>/line/", views.line, name="line"),
    path("desk/", desk.queue, name="desk"),
    path("desk/export.<str:kind>", desk.export, name="export"),
    path("desk/redemptions/<int:redemption_id>/", desk.redemption, name="handle"),
    path("desk/leave/", desk.leave, name="leave"),
    path("desk/leave.csv", desk.leave_csv, name="leave_csv"),
    path("desk/catalogue/", catalogue.home, name="catalogue"),
    path("desk/catalogue/new/", catalogue.edit, name="offer"),
    path("desk/catalogue/<int:reward_id>/", catalogue.edit, name="edit"),
    path("desk/catalogue/<int:reward_id>/codes/", catalogue.codes, name="codes"),
    path("desk/special/", special.home, name="special"),
    path("desk/special/<int:grant_id>/", special.decide, name="decide"),
    path("desk/leaving/", leaving.home, name="leaving"),
    path("desk/liability/", liability.home, name="liability"),
    path("desk/liability.<str:kind>", liability.export, name="liability_export"),
    path("desk/budgets/", liability.fund, name="fund"),
]
