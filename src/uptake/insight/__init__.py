"""Feed < metrics < impact < boards: fills the activity engine and says what the record shows and proves."""
