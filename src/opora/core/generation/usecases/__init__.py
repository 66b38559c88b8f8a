"""What people do with texts and prompts, and what jobs do for them."""

from opora.core.generation.usecases import asking, endings, prompts, writing

USE_CASES = (*asking.USE_CASES, *endings.USE_CASES, *writing.USE_CASES, *prompts.USE_CASES)
