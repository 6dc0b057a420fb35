"""Multilevel models with nested random intercepts."""
