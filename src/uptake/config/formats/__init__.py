"""How a language writes dates and numbers, where Uptake's way differs from Django's."""
