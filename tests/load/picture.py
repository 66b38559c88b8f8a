"""A picture of the steps: how long calls took, by how many were asked for a second. SVG by hand, light and dark."""

import math
from collections.abc import Sequence

from load.judging import P99_MAX_S, Figures

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 40, 50
LINES = (("p50", "#2b8a3e"), ("p90", "#1971c2"), ("p99", "#c2255c"))
TICKS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #555 }
.grid { stroke: #8884; stroke-width: 1 }
.goal { stroke: #e8590c; stroke-dasharray: 6 4 }
.knee { stroke: #888; stroke-dasharray: 2 4 }
polyline { fill: none; stroke-width: 2 }
"""


def picture(title: str, steps: Sequence[Figures], knee: Figures | None) -> str:
    """Draw percentiles over the rate that was offered; the dashed line is the goal, the dotted one the knee."""
    values = {name: [getattr(step, f"{name}_s") for step in steps] for name, _ in LINES}
    flat = [value for some in values.values() for value in some] + [P99_MAX_S]
    ticks = shown_ticks(min(flat), max(flat))
    most_hz = max(step.offered_hz for step in steps)

    def x(rate_hz: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * rate_hz / most_hz

    def y(seconds: float) -> float:
        low, high = math.log(ticks[0]), math.log(ticks[-1])
        part = (math.log(max(seconds, ticks[0])) - low) / (high - low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part

    drawn = [f'<text x="{LEFT}" y="20">{title}</text>']
    for tick in ticks:
        drawn.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        drawn.append(f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{milliseconds(tick)}</text>')
    for step in steps[:: max(1, len(steps) // 8)]:
        drawn.append(
            f'<text x="{x(step.offered_hz):.1f}" y="{HEIGHT - 28}" text-anchor="middle">{step.offered_hz:.0f}</text>'
        )
    goal = y(P99_MAX_S)
    drawn.append(f'<line class="goal" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{goal:.1f}" y2="{goal:.1f}"/>')
    if knee is not None:
        at = x(knee.offered_hz)
        drawn.append(f'<line class="knee" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    for place, (name, colour) in enumerate(LINES):
        points = " ".join(
            f"{x(step.offered_hz):.1f},{y(took):.1f}" for step, took in zip(steps, values[name], strict=True)
        )
        drawn.append(f'<polyline stroke="{colour}" points="{points}"/>')
        drawn.append(f'<text x="{WIDTH - RIGHT - 120 + 40 * place}" y="20" style="fill:{colour}">{name}</text>')
    drawn.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">calls a second, offered</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{title}</title>'
    return "\n".join([head, f"<style>{STYLE}</style>", *drawn, "</svg>"]) + "\n"


def shown_ticks(least_s: float, most_s: float) -> list[float]:
    """Return the ticks around the values, at least two."""
    above = next((tick for tick in TICKS_S if tick >= most_s), TICKS_S[-1])
    below = next((tick for tick in reversed(TICKS_S) if tick <= least_s), TICKS_S[0])
    found = [tick for tick in TICKS_S if below <= tick <= above]
    return found if len(found) > 1 else [TICKS_S[0], TICKS_S[-1]]


def milliseconds(seconds: float) -> str:
    """Write a tick."""
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"
