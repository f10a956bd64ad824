"""Addresses of People & roles."""

from django.urls import path

from uptake.web.pages.people import change, erasing, places, roster, views

app_name = "people"
urlpatterns = [
    path("", views.home, name="home"),
    path("new/", change.new, name="new"),
    path("import/", roster.home, name="import"),
    path("places/new/", places.new, name="new_place"),
    path("places/<slug:slug>/", places.place, name="place"),
    path("places/<slug:slug>/keep-clock", places.keep_clock, name="keep_clock"),
    path("places/<slug:slug>/close", places.close, name="close_place"),
    path("places/<slug:slug>/reopen", places.reopen, name="reopen_place"),
    path("places/<slug:slug>/move", places.move, name="move_place"),
    path("<int:person_id>/", views.person, name="person"),
    path("<int:person_id>/edit/", change.edit, name="edit"),
    path("<int:person_id>/erase/", erasing.erase_person, name="erase"),
    path("<int:person_id>/mail-again", change.mail_again, name="mail_again"),
    path("<int:person_id>/join", change.join_place, name="join"),
    path("<int:person_id>/role", change.give, name="give_role"),
    path("<int:person_id>/login/open", change.open_for, name="open_login"),
    path("<int:person_id>/login/invite", change.invite_again, name="invite"),
    path("<int:person_id>/login/close", change.close_for, name="close_login"),
    path("<int:person_id>/login/second-step", change.drop_second, name="drop_second_step"),
    path("memberships/<int:membership_id>/move", change.move_to, name="move"),
    path("memberships/<int:membership_id>/end", change.end_membership, name="end_membership"),
    path("<int:person_id>/leave", change.give_leave, name="give_leave"),
    path("leave/<int:leave_id>/end", change.end_leave, name="end_leave"),
    path("roles/<int:assignment_id>/end", change.end, name="end_role"),
]
