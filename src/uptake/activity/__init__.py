"""The activity engine: person-ordered columns and the folds over them; no Django."""
