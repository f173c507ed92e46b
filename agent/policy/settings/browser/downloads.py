"""browser.downloads: the folder that browsers put downloads into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox
from agent.policy.syntax.values import Text, Type

#: No hidden folder, or a page could leave there what starts by itself at the next login.
_NAME = r"\w[\w -]{0,61}\w"
_FOLDER = Text(
    most=200,
    pattern=rf"~(/{_NAME})+",
    what="a folder below the student's own, each name of two letters, digits, hyphens or spaces at least, "
    "such as ~/Downloads",
)


class BrowserDownloads(Setting):
    """DownloadDirectory, as both browsers call it. Chromium knows no name for the student's own folder, only
    the student's name (https://www.chromium.org/administrators/policy-list-3/user-data-directory-variables/).
    """

    key: ClassVar[str] = "browser.downloads"
    about: ClassVar[str] = (
        "The folder that Chromium and Firefox put downloads into, made when it is first needed. Chromium "
        "follows it for students whose own folder is in /home."
    )
    value: ClassVar[Type] = _FOLDER
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school chose one folder for downloads, so that they can be found again.",
        "ar": "اختارت مدرستك مجلدًا واحدًا للتنزيلات كي يسهل العثور عليها.",
    }
    example: ClassVar[str] = "browser.downloads: ~/Downloads"

    def compile(self, value: object) -> tuple[Resource, ...]:
        below = str(value).removeprefix("~")
        chromium = Chromium(setting="downloads", policies={"DownloadDirectory": "/home/${user_name}" + below})
        return chromium, Firefox({"DownloadDirectory": "${home}" + below})
