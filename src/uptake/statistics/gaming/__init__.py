"""Signs of gaming: each with a chance and an effect, both needed; a sign asks a person to look, and takes nothing."""
