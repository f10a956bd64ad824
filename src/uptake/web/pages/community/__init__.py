"""What people of a company say to each other, the recognition they give, and the desk of those who moderate."""
