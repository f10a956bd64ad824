"""Sources of people: what a directory elsewhere says of departments and people becomes places, people and dates."""
