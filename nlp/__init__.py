"""Heard's language library: text in, data out. No web, no database, no clock, no network."""
