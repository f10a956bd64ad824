"""Rules, awards and, later, levels, badges, challenges, rewards and governance."""
