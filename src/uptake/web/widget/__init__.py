"""The widget: one script in the pages of a business software shows its people their points as they come."""
