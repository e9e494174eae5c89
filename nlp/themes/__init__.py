"""Suggesting codes: matching a text against a codebook and saying which words earned it."""
