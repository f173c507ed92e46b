"""What text is searched by: words without case, accents or vowel points, in any script; pairs where no spaces
are.

The same folding makes the index and the question, so it only has to be consistent, and to fold what people
leave out when they type: accents, Arabic harakat and the article, which alef or ya is meant, full-width
forms, digits.
"""

from __future__ import annotations

import re
import unicodedata

MOST_TEXT = 1000  #: characters looked at
MOST_WORDS = 32  #: of one question
#: Combining marks that spell another letter rather than decorate one: nukta, virama, kana voicing, Thai and
#: Lao.
_SPELLING = frozenset({7, 8, 9, 103, 107, 118, 122})
_SAME = str.maketrans(
    {
        "\u0640": None,  # tatweel
        "\u200c": None,  # joiners
        "\u200d": None,
        "\u00ad": None,  # soft hyphen
        "\N{ARABIC LETTER ALEF WASLA}": "\N{ARABIC LETTER ALEF}",
        "\N{ARABIC LETTER ALEF MAKSURA}": "\N{ARABIC LETTER YEH}",
        "\N{ARABIC LETTER FARSI YEH}": "\N{ARABIC LETTER YEH}",
        "\N{ARABIC LETTER YEH BARREE}": "\N{ARABIC LETTER YEH}",
        "\N{ARABIC LETTER TEH MARBUTA}": "\N{ARABIC LETTER HEH}",
        "\N{ARABIC LETTER HEH WITH YEH ABOVE}": "\N{ARABIC LETTER HEH}",
        "\N{ARABIC LETTER AE}": "\N{ARABIC LETTER HEH}",
        "\N{ARABIC LETTER HEH GOAL}": "\N{ARABIC LETTER HEH}",
        "\N{ARABIC LETTER HEH DOACHASHMEE}": "\N{ARABIC LETTER HEH}",
        "\N{ARABIC LETTER KEHEH}": "\N{ARABIC LETTER KAF}",
        "\N{LATIN SMALL LETTER L WITH STROKE}": "l",
        "\N{LATIN SMALL LETTER O WITH STROKE}": "o",
        "\N{LATIN SMALL LETTER D WITH STROKE}": "d",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "æ": "ae",
        "œ": "oe",
    }
)
_PREFIXES = ("وال", "بال", "كال", "فال", "لل", "ال")
#: Scripts written without spaces: Han, kana, Thai, Lao, Burmese, Khmer.
_UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff"
)
#: Marks that belong to the word they stand in, though they are no letters to the regular expression.
_MARKS = "\u0300-\u036f\u0900-\u0963\u0966-\u0dff"
_WORD = re.compile(rf"(?P<unspaced>[{_UNSPACED}]+)|(?:[^\W_{_UNSPACED}]|[{_MARKS}])+")


def fold(text: str) -> str:
    """``text`` with all that is folded away."""
    wide = unicodedata.normalize("NFKD", text[:MOST_TEXT].casefold()).translate(_SAME)
    kept = "".join(char for char in wide if not (mark := unicodedata.combining(char)) or mark in _SPELLING)
    digits = "".join(str(unicodedata.decimal(char, char)) for char in kept)
    return unicodedata.normalize("NFC", digits)


def words(text: str) -> list[str]:
    """The words of ``text`` as they are indexed and asked for, in order."""
    found: list[str] = []
    for match in _WORD.finditer(fold(text)):
        word = match.group()
        if match["unspaced"] is None:
            found.append(_bare(word))
        elif len(word) == 1:
            found.append(word)
        else:
            found += [word[at : at + 2] for at in range(len(word) - 1)]
    return found


def _bare(word: str) -> str:
    """An Arabic word without its article."""
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= 3:
            return word[len(prefix) :]
    return word
