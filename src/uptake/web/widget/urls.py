"""Address of the widget's script. It stands in other people's pages and never changes."""

from django.urls import path
from django.views.decorators.http import require_safe

from uptake.web.widget import views

app_name = "widget"
urlpatterns = [path("v1.js", require_safe(views.script), name="script")]
