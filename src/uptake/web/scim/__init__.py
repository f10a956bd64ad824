"""SCIM 2.0: where the identity provider of a company says who its people are."""
