"""Diagrams of tables as tables: what a browser would need a drawing library for, said in HTML."""

import re
from html import escape

KIND = "erDiagram"
BLOCK = re.compile(r"^ +(\w+) \{\n(.*?)^ +\}$", re.MULTILINE | re.DOTALL)
COLUMN = re.compile(r"^ +(\w+) (\w+)((?: (?:PK|FK|UK),?)*)", re.MULTILINE)
LINE = re.compile(r"^ +(\w+) [|}o]{2}--[|{o]{2} (\w+) : (\w+)$", re.MULTILINE)


def place(table: str) -> str:
    """Return the anchor of a table."""
    return f"table-{table}"


def drawn(diagram: str) -> str:
    """Return the HTML of a diagram: a table for each entity, its references as links."""
    leads = {(to, column): one for one, to, column in LINE.findall(diagram)}
    found = [_entity(name, body, leads) for name, body in BLOCK.findall(diagram)]
    return '<div class="entities">\n' + "".join(found) + "</div>\n"


def _entity(name: str, body: str, leads: dict[tuple[str, str], str]) -> str:
    rows = [
        f"<tr><td><code>{escape(column)}</code></td><td>{escape(kind)}</td>"
        f"<td>{_key(keys, leads.get((name, column)))}</td></tr>\n"
        for kind, column, keys in COLUMN.findall(body)
    ]
    return f'<table id="{place(name)}"><caption>{escape(name)}</caption>\n{"".join(rows)}</table>\n'


def _key(keys: str, target: str | None) -> str:
    words = keys.replace(",", " ").split()
    if target is not None:
        words.append(f'→ <a href="#{place(target)}">{escape(target)}</a>')
    return " ".join(words)
