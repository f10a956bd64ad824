"""Django's SQLite backend with turns: the writers of one process wait in a line instead of asking again and again."""
