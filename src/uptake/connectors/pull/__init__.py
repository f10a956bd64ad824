"""Systems that are asked: what is declared of them is read page by page, each with its cursor in one transaction."""
