"""Tests of the pages of the data area."""
