"""Fills the activity engine from the record of events, by a bookmark that is kept with the files themselves."""
