"""Files that people hand in: tables of any common make, and the profiles that say what their columns mean."""
