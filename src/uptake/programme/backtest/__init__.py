"""Back-tests: what a rulebook would have paid for what really happened, by the code that pays."""
