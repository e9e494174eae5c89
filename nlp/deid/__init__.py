"""De-identification: detectors, one plan of redactions, and the clean text that follows from it."""
