"""Languages: which way they are written, and how well one that is there serves one that is asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: BCP 47, as far as content is tagged: language, script, region, variants.
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
#: Languages that are written from right to left unless their tag names another script.
_RIGHT_TO_LEFT = frozenset(
    {
        *("ar", "arc", "bal", "bcc", "bgn", "bqi", "ckb", "dv", "fa", "glk", "he", "iw", "khw", "ks"),
        *("lrc", "mzn", "nqo", "pnb", "ps", "sd", "sdh", "skr", "syr", "ug", "ur", "yi"),
    }
)
_SCRIPTS = frozenset(
    {
        *("adlm", "arab", "hebr", "mand", "mend", "nkoo", "rohg", "samr", "syrc", "thaa", "yezi"),
    }
)


def is_language(text: object) -> bool:
    """Whether ``text`` is a language tag such as ``ar``, ``pt-BR`` or ``zh-Hant-TW``."""
    return isinstance(text, str) and len(text) <= 35 and _TAG.fullmatch(text) is not None


def direction(lang: str) -> str:
    """``rtl`` or ``ltr``; "" for no language."""
    parts = lang.lower().split("-")
    scripts = [part for part in parts[1:] if len(part) == 4 and part.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in _SCRIPTS else "ltr"
    if not parts[0]:
        return ""
    return "rtl" if parts[0] in _RIGHT_TO_LEFT else "ltr"


def closeness(lang: str, wanted: Sequence[str]) -> int:
    """How far down the list of ``wanted`` languages ``lang`` is served; beyond the list: none of them. A
    dialect serves its language and the other way round, after an exact match."""
    tag = lang.lower()
    for number, one in enumerate(wanted):
        if one.lower() == tag:
            return 2 * number
        if tag and one.lower().split("-")[0] == tag.split("-")[0]:
            return 2 * number + 1
    return 2 * len(wanted)


def best(texts: dict[str, str], wanted: Sequence[str]) -> tuple[str, str]:
    """(language, text) of the one that serves best; of equals the first by tag. ("", "") if there is none."""
    if not texts:
        return "", ""
    lang = min(texts, key=lambda tag: (closeness(tag, wanted), tag))
    return lang, texts[lang]
