"""study.db: de-identified material only. One store a noun; SQL stays in here."""
