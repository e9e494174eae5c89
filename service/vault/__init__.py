"""vault.db: raw text and what leads back to a person, sealed field by field. Imported by intake and de-identification alone."""
