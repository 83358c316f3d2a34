"""TeX macros that pylatexenc does not know, and what stands for them in plain text.

Source of the names: "The Comprehensive LaTeX Symbol List" (https://ctan.org/pkg/comprehensive).
"""

from __future__ import annotations

STYLES = (
    "texttt textsc textsf textmd textnormal textup mbox mathtt mathsf operatorname underline "
    "ensuremath"
).split()
"""Macros whose argument is text."""

SYMBOLS = {
    "textbraceleft": "{",
    "textbraceright": "}",
    "textbar": "|",
    "textless": "<",
    "textgreater": ">",
    "textunderscore": "_",
    "TeX": "TeX",
    "LaTeX": "LaTeX",
    "copyright": "©",
    "pounds": "£",
    "S": "§",
    "SS": "SS",
    "P": "¶",
    "ddag": "‡",
    "ddagger": "‡",
    "lbrack": "[",
    "rbrack": "]",
    "slash": "/",
    "colon": ":",
    "ne": "≠",
    "neg": "¬",
    "bot": "⊥",
    "models": "⊨",
    "triangle": "△",
    "gets": "←",
    "implies": "⟹",
    "iff": "⟺",
    "Re": "ℜ",
    "Im": "ℑ",
    "imath": "ı",
    "jmath": "ȷ",
    "checkmark": "✓",
    "clubsuit": "♣",
    "diamondsuit": "♢",
    "heartsuit": "♡",
    "spadesuit": "♠",
}
"""Macros without an argument, and the character that each stands for."""

FUNCTIONS = "arg argmax argmin bmod cot coth csc deg det dim gcd hom ker lg mod Pr sec".split()
"""Macros without an argument that stand for their own names."""
