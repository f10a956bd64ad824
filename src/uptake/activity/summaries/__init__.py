"""What the pages read, one file each: folds by business date over people, places, names, in one pass."""
