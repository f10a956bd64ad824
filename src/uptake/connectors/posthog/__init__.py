"""PostHog clients."""
