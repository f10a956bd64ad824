"""Points given afterwards: retroactive runs are planned, approved by a second person, and posted."""
