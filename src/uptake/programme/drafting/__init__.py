"""Drafts of rulebooks: edited, back-tested on what really happened, and handed on to be published."""
