"""People of a company among themselves: posts, questions, tips, and the recognition they give each other."""
