"""Pure decisions: what a template says, what may be asked, what is repeated, what a reader still lacks."""
