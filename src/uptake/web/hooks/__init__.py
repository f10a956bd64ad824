"""Where connected systems tell by themselves what happened in them."""
