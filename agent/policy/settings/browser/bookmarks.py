"""browser.bookmarks: the bookmarks that the school gives to everyone, beside the student's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox
from agent.policy.syntax.values import Key, ListOf, Record, Text, Type, Url

_BOOKMARK = Record(
    {
        "name": Key(Text(most=100), required=True),
        "url": Key(Url(), required=True),
        "folder": Key(Text(most=100)),
    },
    what="a bookmark",
)


class BrowserBookmarks(Setting):
    """Each rank adds its own; nobody's are taken away."""

    key: ClassVar[str] = "browser.bookmarks"
    about: ClassVar[str] = (
        "Bookmarks in the folder of managed bookmarks of Chromium and Firefox, in order; a folder groups "
        "them."
    )
    value: ClassVar[Type] = ListOf(_BOOKMARK, most=200)
    merge: ClassVar[Merge] = Merge.UNION
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school put these bookmarks here for your lessons. Your own bookmarks stay yours.",
        "ar": "وضعت مدرستك هذه الإشارات المرجعية لدروسك، وتبقى إشاراتك الخاصة لك.",
    }
    example: ClassVar[str] = (
        "browser.bookmarks:\n"
        "  - {name: Library, url: https://library.north.example/}\n"
        "  - {name: Atlas, url: https://atlas.north.example/, folder: Geography}"
    )

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        entries: list[dict[str, object]] = []
        folders: dict[str, list[dict[str, object]]] = {}
        for bookmark in value:
            entry = {"name": bookmark["name"], "url": bookmark["url"]}
            folder = bookmark.get("folder")
            if folder is None:
                entries.append(entry)
                continue
            if folder not in folders:
                folders[folder] = []
                entries.append({"name": folder, "children": folders[folder]})
            folders[folder].append(entry)
        policies = {"BookmarkBarEnabled": True, "ManagedBookmarks": entries}
        firefox = {"DisplayBookmarksToolbar": "always", "ManagedBookmarks": entries}
        return Chromium(setting="bookmarks", policies=policies), Firefox(firefox)

    def show(self, value: object) -> str:
        return (
            ", ".join(str(bookmark["name"]) for bookmark in value) if isinstance(value, list) else str(value)
        )
