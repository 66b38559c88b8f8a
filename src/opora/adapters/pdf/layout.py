"""What a laid-out template is made of: pages, slots, letters, and the file objects they are drawn with."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Face:
    """A font as the file has it: `codes` turns letters into glyph codes in hexadecimal, `widths` are per mille."""

    resource: str
    number: int
    codes: Mapping[int, str]
    widths: Mapping[str, int]
    widest: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one value on one line: all lengths in points, `y` from the lower edge, `least` the smallest size."""

    name: str
    x: float
    y: float
    width: float
    size: float
    least: float
    face: Face
    colour: str


@dataclass(frozen=True, slots=True)
class FormPage:
    """One fixed page: the numbers of the objects it is drawn with, its box, and the slots on it."""

    content: int
    resources: int
    box: bytes
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A laid-out template: the pages of each locale and the file objects they need, by number."""

    pages: Mapping[str, tuple[FormPage, ...]]
    needs: Mapping[str, frozenset[int]]
    objects: Mapping[int, bytes]


type Sheet = tuple[str, Mapping[str, str]]
"""A locale of the template and the text of every slot."""


@dataclass(frozen=True, slots=True)
class Graft:
    """The pages of each of some sheets and the objects they need, numbered from where the graft was told to begin."""

    sheets: tuple[tuple[FormPage, ...], ...]
    objects: Mapping[int, bytes]
