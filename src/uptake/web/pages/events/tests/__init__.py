"""Tests of the pages of the events area."""
