"""Conditions: the yes/no questions a rule may ask about an event and its person."""
