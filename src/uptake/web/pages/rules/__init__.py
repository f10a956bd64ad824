"""How do I earn?: the rules in force as sentences, with caps and what is used of them."""
