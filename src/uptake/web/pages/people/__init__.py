"""People & roles: the tree of places, who belongs where, who may do what, who can sign in."""
