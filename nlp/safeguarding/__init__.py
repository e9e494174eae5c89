"""Words that a person might stop at, because they sometimes come up when somebody is being harmed."""

from nlp.safeguarding.prompt import Prompt, prompts

__all__ = ["Prompt", "prompts"]
