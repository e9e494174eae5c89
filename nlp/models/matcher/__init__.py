"""The matcher's encoder: MiniLM taught to hear what is meant, its corpus, its training and its card."""
