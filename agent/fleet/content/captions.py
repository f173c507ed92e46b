"""Captions that lie beside a video: which file is which language, and SubRip made into what browsers read."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.content.languages import is_language
from agent.content.listing import TRACKS, Track
from agent.content.types import ending
from agent.core.errors import BookbagError
from agent.fleet.content.pages import text_of

VIDEOS = frozenset({"mp4", "m4v", "webm", "ogv"})
ENDINGS = ("vtt", "srt")
_TIMES = re.compile(
    r"^\s*(\d{1,2}:\d{2}:\d{2})[,.](\d{1,3})\s*-->\s*(\d{1,2}:\d{2}:\d{2})[,.](\d{1,3})", re.MULTILINE
)


def tracks_of(video: str, paths: Iterable[str]) -> tuple[Track, ...]:
    """The captions of ``video`` among ``paths``: ``film.vtt``, ``film.ar.vtt``,
    ``film.en.descriptions.vtt``."""
    stem = video.rpartition(".")[0]
    found = []
    for path in sorted(paths):
        if ending(path) != "vtt" or not path.startswith(f"{stem}."):
            continue
        words = path[len(stem) + 1 : -len(".vtt")].split(".") if path != f"{stem}.vtt" else []
        lang = next((word for word in words if word not in TRACKS and is_language(word)), "")
        kind = next((word for word in words if word in TRACKS), "captions")
        if len(words) <= 2 and set(words) <= {lang, kind}:
            found.append(Track(path, lang or "und", kind))
    return tuple(found)


def as_vtt(data: bytes, path: str) -> bytes:
    """Captions as WebVTT in UTF-8. Raises ``bad-content`` for what is neither WebVTT nor SubRip."""
    text = text_of(data).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if ending(path) == "vtt":
        if not text.startswith("WEBVTT"):
            raise BookbagError(
                "bad-content",
                "cannot take these captions: WebVTT begins with WEBVTT",
                place=path,
                remedy="export them again as WebVTT or SubRip",
            )
        return text.encode("utf-8", "replace")
    if not _TIMES.search(text):
        raise BookbagError(
            "bad-content", "cannot take these captions: there are no times in them", place=path
        )
    return f"WEBVTT\n\n{_TIMES.sub(_times, text)}".encode("utf-8", "replace")


def _times(match: re.Match[str]) -> str:
    begin, begin_ms, end, end_ms = match.groups()
    return f"{begin.zfill(8)}.{begin_ms.ljust(3, '0')} --> {end.zfill(8)}.{end_ms.ljust(3, '0')}"
