"""REFI-QDA, the exchange form of qualitative tools: projects (`.qdpx`) and codebooks (`.qdc`), bytes in, data out and back."""
