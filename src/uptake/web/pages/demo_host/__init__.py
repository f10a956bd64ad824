"""A page of a business software, in the demo only: what one posts there becomes points while one looks on."""
