"""Addresses of the data area."""

from django.urls import path

from uptake.web.pages.data import connections, imports, keys, probes, quarantine, systems, webhooks, widget

app_name = "data"
urlpatterns = [
    path("", connections.home, name="home"),
    path("connections/new", connections.new, name="connection_new"),
    path("systems/new", systems.choose, name="systems"),
    path("systems/new/<str:preset>", systems.new, name="system_new"),
    path("systems/<slug:slug>/again", systems.again, name="system_again"),
    path("systems/<slug:slug>/records", systems.records, name="system_records"),
    path("systems/<slug:slug>/change", systems.change, name="system_change"),
    path("connections/<slug:slug>", connections.connection, name="connection"),
    path("connections/<slug:slug>/keys", connections.new_key, name="key_new"),
    path("connections/<slug:slug>/keys/<int:key_id>", keys.home, name="key"),
    path("connections/<slug:slug>/keys/<int:key_id>/revoke", connections.revoke, name="key_revoke"),
    path("connections/<slug:slug>/pause", connections.pause_or_resume, name="connection_pause"),
    path("connections/<slug:slug>/page-events", connections.page_events, name="page_events"),
    path("connections/<slug:slug>/demo", connections.demo, name="collector_demo"),
    path("connections/<slug:slug>/widget", widget.home, name="widget"),
    path("connections/<slug:slug>/widget/<int:widget_key_id>/revoke", widget.revoke, name="widget_key_revoke"),
    path("chats/", webhooks.chats, name="chats"),
    path("webhooks/", webhooks.home, name="webhooks"),
    path("webhooks/<int:webhook_id>", webhooks.webhook, name="webhook"),
    path("webhooks/<int:webhook_id>/steer", webhooks.steer, name="webhook_steer"),
    path("webhooks/<int:webhook_id>/<int:delivery_id>", webhooks.delivery, name="delivery"),
    path("webhooks/<int:webhook_id>/<int:delivery_id>/again", webhooks.again, name="delivery_again"),
    path("probes/", probes.home, name="probes"),
    path("probes/<int:probe_id>/end", probes.end, name="probe_end"),
    path("imports/", imports.home, name="imports"),
    path("imports/upload", imports.upload, name="upload"),
    path("imports/<int:run_id>", imports.run, name="import"),
    path("imports/<int:run_id>/mapping", imports.mapping, name="import_mapping"),
    path("imports/<int:run_id>/check", imports.check, name="import_check"),
    path("imports/<int:run_id>/start", imports.start, name="import_start"),
    path("imports/<int:run_id>/progress", imports.progress, name="import_progress"),
    path("imports/<int:run_id>/undo", imports.undo, name="import_undo"),
    path("imports/<int:run_id>/errors.csv", imports.errors, name="import_errors"),
    path("quarantine/", quarantine.home, name="quarantine"),
    path("quarantine/decide", quarantine.decide, name="decide"),
    path("conflicts/", quarantine.conflicts, name="conflicts"),
    path("conflicts/seen", quarantine.seen, name="conflicts_seen"),
]
