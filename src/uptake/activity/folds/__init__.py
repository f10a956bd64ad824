"""The analyses, one file each: a fold over one bucket's rows, and the answer it sums up to."""
