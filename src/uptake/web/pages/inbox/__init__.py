"""What one was told: the messages of one person, with what is unread."""
