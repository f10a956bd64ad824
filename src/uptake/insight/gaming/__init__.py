"""Signs of points earned by pretence: found with evidence, looked at by two people, never punished by themselves."""
