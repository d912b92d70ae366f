"""Texts by the seed: ones that match a pattern, and ones of any characters.

Hypothesis draws one number for each, instead of a decision for each character: a spec has hundreds of texts.
"""

from __future__ import annotations

import re
import string
from functools import cache
from random import Random
from typing import Any

LONGEST_REPEAT = 12
ALPHABET = string.printable + "äßé語の🎙🏳\u0000\u007f\u0085\u00a0\u2028\ufeff\ufffe\ufffd"
"""What texts hold, and what breaks those who read them: control characters, line ends, marks, no characters at all."""


def matching(pattern: str, seed: int, longest: int) -> str:
    """A text that matches `pattern`, of at most `longest` characters; every second seed tries to fill them."""
    random = Random(seed)
    text = next(text for _ in range(1000) if len(text := _sampled(_parsed(pattern), random)) <= longest)
    if random.random() < 0.5:
        return text
    filled = text[:1] + random.choice("a0") * (longest - len(text)) + text[1:]
    return filled if re.fullmatch(pattern, filled) else text


def anything(seed: int, shortest: int, longest: int) -> str:
    """A text of any characters; some have as many as are allowed."""
    random = Random(seed)
    length = random.choice((shortest, longest, random.randint(shortest, min(longest, 20))))
    return "".join(random.choices(ALPHABET, k=length))


@cache
def _parsed(pattern: str) -> Any:
    return re._parser.parse(pattern)  # type: ignore[attr-defined]


def _sampled(parsed: Any, random: Random) -> str:
    return "".join(_one(str(operator), argument, random) for operator, argument in parsed)


def _one(operator: str, argument: Any, random: Random) -> str:
    match operator:
        case "LITERAL":
            return chr(argument)
        case "IN":
            return _character(argument, random)
        case "BRANCH":
            return _sampled(random.choice(argument[1]), random)
        case "SUBPATTERN":
            return _sampled(argument[3], random)
        case "MAX_REPEAT":
            least, most, inner = argument
            count = random.choice((least, random.randint(least, min(most, least + LONGEST_REPEAT))))
            return "".join(_sampled(inner, random) for _ in range(count))
        case "AT":
            return ""
        case _:
            raise TypeError(f"no text for {operator} in a pattern")


def _character(choices: Any, random: Random) -> str:
    if str(choices[0][0]) == "NEGATE":
        excluded = {chr(argument) for _, argument in choices[1:]}
        return random.choice([one for one in string.ascii_letters if one not in excluded])
    operator, argument = random.choice(choices)
    return chr(argument) if str(operator) == "LITERAL" else chr(random.randint(*argument))
