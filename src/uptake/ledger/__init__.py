"""Points move between accounts; nothing else changes a balance."""
