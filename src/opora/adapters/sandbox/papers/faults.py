"""A fault found in a file."""


class Faulty(Exception):
    """The file is not taken: `fault` is a word of the core's list."""

    def __init__(self, fault: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault
