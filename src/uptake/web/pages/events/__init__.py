"""The events themselves: live, filtered, one by one, exported; and the catalogue of their names."""
