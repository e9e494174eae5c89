"""Papers for those who answer for a study, filled in from the study and the settings as they are."""
