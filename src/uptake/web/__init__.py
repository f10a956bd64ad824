"""What people and programs see: pages, the API, templates and static files."""
