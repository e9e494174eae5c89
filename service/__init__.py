"""Heard's service: storage, use cases and their faces (command line, pages, API) around `nlp`."""
