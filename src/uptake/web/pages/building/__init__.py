"""Building rulebooks without code: drafts, rules as forms with their sentences beside, back-tests, publishing."""
