"""The monthly report that everybody of the company may read."""
