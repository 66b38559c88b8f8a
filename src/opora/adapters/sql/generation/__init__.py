"""SQL of prompts and generations."""
