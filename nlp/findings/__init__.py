"""What decisions add up to: corrected prevalence, indicators, and the two side by side."""
