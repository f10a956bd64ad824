"""Sources of people: where a company's departments and people come from, what came of it, and who must look."""
