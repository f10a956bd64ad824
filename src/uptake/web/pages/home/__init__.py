"""The first address: sends everyone to where their work begins."""
