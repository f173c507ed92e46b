"""The languages that the portal itself speaks: one folder each, found by listing this one.

A folder is named by its language code and has ``NAME`` (in that language), ``DIRECTION`` (ltr or rtl),
``MONTHS`` and ``TEXTS``: key → text, whose ``{names}`` are filled in. English has every text; what another
lacks is shown in English.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

DEFAULT = "en"
#: Languages written from right to left, by code; for content, whose language need not be one of ours.
_RIGHT_TO_LEFT = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi")
)
_RIGHT_TO_LEFT_SCRIPTS = frozenset(("adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"))
_MOST_ASKED = 20


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the portal."""

    code: str
    name: str
    direction: str
    months: Sequence[str]
    texts: Mapping[str, str]
    fallback: Mapping[str, str]

    def __call__(self, key: str, **names: object) -> str:
        """The text ``key``. Raises KeyError for one that English has not either."""
        text = self.texts.get(key) or self.fallback[key]
        return text.format(**names) if names else text

    def maybe(self, key: str, otherwise: str) -> str:
        """The text ``key`` if there is one: for names that others make up, such as settings."""
        return self.texts.get(key) or self.fallback.get(key) or otherwise


@functools.cache
def codes() -> tuple[str, ...]:
    """Every language there is, English first."""
    found = {module.name for module in pkgutil.iter_modules(__path__)}
    return (DEFAULT, *sorted(found - {DEFAULT}))


@functools.cache
def language(code: str) -> Language:
    """The language ``code``, one of `codes`."""
    module = importlib.import_module(f"agent.portal.languages.{code}")
    fallback = importlib.import_module(f"agent.portal.languages.{DEFAULT}").TEXTS
    return Language(code, module.NAME, module.DIRECTION, module.MONTHS, module.TEXTS, fallback)


def asked(header: str) -> tuple[str, ...]:
    """The codes in an Accept-Language header, the most wanted first; at most 20."""
    found: list[tuple[float, int, str]] = []
    for at, part in enumerate(header.split(",")[:_MOST_ASKED]):
        code, _, weight = part.partition(";")
        code = code.strip().lower()
        try:
            quality = float(weight.partition("=")[2]) if weight else 1.0
        except ValueError:
            continue
        if is_code(code) and 0 < quality <= 1:
            found.append((-quality, at, code))
    return tuple(code for _, _, code in sorted(found))


def choose(wanted: Iterable[str]) -> Language:
    """The first of ``wanted`` that the portal speaks, ``pt-br`` as ``pt``; else English."""
    known = codes()
    for code in wanted:
        for spelt in (code, code.partition("-")[0]):
            if spelt in known:
                return language(spelt)
    return language(DEFAULT)


def pick(texts: Mapping[str, object], wanted: Iterable[str]) -> tuple[str, str]:
    """(code, text) of what a reader of ``wanted`` should get from language → text: the first that is
    there, English, or any; ("", "") if there is none."""
    clean = {code.lower(): text for code, text in texts.items() if isinstance(text, str) and text}
    for code in (*wanted, DEFAULT):
        for spelt in (code.lower(), code.lower().partition("-")[0]):
            if spelt in clean:
                return spelt, clean[spelt]
    return next(iter(clean.items()), ("", ""))


def direction(code: str) -> str:
    """``ltr`` or ``rtl`` for a language code; ``auto`` for none."""
    if not is_code(code):
        return "auto"
    main, *more = code.lower().split("-")
    scripts = [part for part in more if len(part) == 4]
    if scripts:
        return "rtl" if scripts[0] in _RIGHT_TO_LEFT_SCRIPTS else "ltr"
    return "rtl" if main in _RIGHT_TO_LEFT else "ltr"


def is_code(text: str) -> bool:
    """Whether ``text`` looks like a language code: ``ar``, ``pt-BR``, ``zh-Hans-CN``."""
    parts = text.split("-")
    return (
        1 <= len(parts) <= 4
        and parts[0].isascii()
        and parts[0].isalpha()
        and 2 <= len(parts[0]) <= 8
        and all(part.isascii() and part.isalnum() and 1 <= len(part) <= 8 for part in parts)
    )
