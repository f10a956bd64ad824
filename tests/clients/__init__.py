"""Event clients of other makers, as published, against a real server behind a wire that fails."""
