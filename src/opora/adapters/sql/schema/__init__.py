"""The tables as data: what migrations are checked against and the diagrams are drawn from. Never imported by repositories."""
