"""Outside software: each folder turns one foreign payload into happenings."""
