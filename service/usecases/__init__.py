"""What the service does, one module a use case; the command line, pages and API only call these."""
