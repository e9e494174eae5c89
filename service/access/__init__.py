"""Who may do what: people with roles, sessions and keys; permissions as data."""
