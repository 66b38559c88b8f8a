"""A picture of the ratios: how far each stands from its goal, as bars on a logarithmic scale. SVG by hand, light and dark."""

import html
import math
import re
from collections.abc import Sequence
from typing import NamedTuple

ROW = re.compile(
    r"^\| (?P<path>(?:[^|\\]|\\.)+) \| (?P<measured>[^|]+) \| (?P<against>[^|]+) \| (?P<ratio>[\d.e+-]+)×"
    r" \| (?P<side>[≥≤]) (?P<goal>[\d.]+)× \| (?:yes|no) \|$",
    re.MULTILINE,
)
WIDTH, ROW_PX, TOP, BOTTOM = 960, 22, 52, 24
TEXT_PX, FIGURE_PX = 470, 90
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #555 }
.goal { stroke: #888; stroke-dasharray: 4 3 }
.met { fill: #2b8a3e }
.missed { fill: #c2255c }
@media (prefers-color-scheme: dark) { text { fill: #bbb } .met { fill: #51cf66 } .missed { fill: #f783ac } }
"""


class Margin(NamedTuple):
    """One ratio of the page: `times` is how often better than its goal, below 1 where it misses it."""

    path: str
    against: str
    ratio: str
    times: float


def margins(page: str) -> list[Margin]:
    """Read the judged rows whose measured ratio and goal are both ratios."""
    found = []
    for row in ROW.finditer(page):
        ratio, goal = float(row["ratio"]), float(row["goal"])
        times = ratio / goal if row["side"] == "≥" else goal / max(ratio, 1e-9)
        against = row["against"].partition(":")[0]
        found.append(Margin(row["path"], against, f"{row['ratio']}× ({row['side']} {row['goal']}×)", times))
    return found


def picture(page: str) -> str:
    """Draw a bar a ratio: to the right of the dashed line it is better than its goal, to the left it misses it."""
    rows = margins(page)
    height = TOP + ROW_PX * len(rows) + BOTTOM
    reach = max([abs(math.log10(row.times)) for row in rows if row.times > 0] + [0.5])
    left, right = TEXT_PX, WIDTH - FIGURE_PX - 60
    worst = max([-math.log10(row.times) for row in rows if 0 < row.times < 1] + [0.0])
    px = (right - left) / (reach + worst)
    zero = left + worst * px
    title = "How far each ratio stands from its goal"
    drawn = [
        f'<text x="8" y="20">{title}: to the right better, to the left missed; a step to the next number is tenfold</text>',
        f'<line class="goal" x1="{zero:.1f}" x2="{zero:.1f}" y1="{TOP - 6}" y2="{height - BOTTOM}"/>',
        *(
            f'<text x="{zero + power * px:.1f}" y="{TOP - 12}" text-anchor="middle">{10**power:g}×</text>'
            for power in range(int(reach) + 1)
        ),
        *bars(rows, zero, px),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"><title>{title}</title>'
    return "\n".join([head, f"<style>{STYLE}</style>", *drawn, "</svg>"]) + "\n"


def bars(rows: Sequence[Margin], zero: float, px: float) -> list[str]:
    """Draw each row: what it is, its bar from the goal's line, and its figure."""
    drawn = []
    for place, row in enumerate(rows):
        y = TOP + ROW_PX * place
        long = math.log10(row.times) * px if row.times > 0 else 0.0
        kind = "met" if row.times >= 1 else "missed"
        name = shortened(f"{row.path} / {row.against}", 74)
        drawn.append(f'<text x="{TEXT_PX - 8}" y="{y + 14}" text-anchor="end">{html.escape(name)}</text>')
        start, width = min(zero, zero + long), max(abs(long), 1.5)
        drawn.append(f'<rect class="{kind}" x="{start:.1f}" y="{y + 4}" width="{width:.1f}" height="13" rx="2"/>')
        after = max(zero, zero + long) + 6
        drawn.append(f'<text x="{after:.1f}" y="{y + 14}">{html.escape(row.ratio)}</text>')
    return drawn


def shortened(text: str, most: int) -> str:
    """Cut a text that is too long for its place."""
    return text if len(text) <= most else text[: most - 1] + "…"
