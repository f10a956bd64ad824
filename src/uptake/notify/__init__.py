"""Messages: written now, sent later, in the reader's language."""
