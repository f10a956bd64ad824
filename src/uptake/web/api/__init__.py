"""What programs see: the intake of events and its description."""
