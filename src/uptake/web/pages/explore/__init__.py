"""Questions to the activity engine, each on a page: asked in the address, told in words, a picture and a table."""
