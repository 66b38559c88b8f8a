"""How a person is made and how numbers are checked: pure functions over the tables, told the date and the seed."""
