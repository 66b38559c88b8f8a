"""What a store refuses, in words both stores share."""


class ConstraintBroken(Exception):
    """A constraint of the schema refused the change; `constraint` is its name, or the columns on SQLite.

    Repositories translate it into a named refusal of their context; one that escapes is a fault.
    """

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint
