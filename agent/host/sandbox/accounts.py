"""Accounts of the laptop in a folder: its own passwd, shadow, group and gshadow, edited line by line."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import replace

from agent.core.errors import BookbagError
from agent.host.account_files import GROUP, GSHADOW, PASSWD, SHADOW, SKELETON, AccountFiles
from agent.host.base import Files, Node
from agent.host.uids import FIRST_PERSON

#: What a new laptop has: file → (mode, group, text).
FURNISHED = {
    PASSWD: (
        0o644,
        "root",
        "root:x:0:0:root:/root:/bin/bash\n"
        "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
        "student:x:1000:1000:Student,,,:/home/student:/bin/bash\n"
        "ict:x:1001:1001:ICT:/home/ict:/bin/bash\n",
    ),
    SHADOW: (
        0o640,
        "shadow",
        "root:$y$simulated$x:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\nstudent:*:19000:0:99999:7:::\n"
        "ict:*:19000:0:99999:7:::\n",
    ),
    GROUP: (
        0o644,
        "root",
        "root:x:0:\ndaemon:x:1:\nadm:x:4:\nsudo:x:27:student,ict\naudio:x:29:\nusers:x:100:\nstudent:x:1000:\n"
        "ict:x:1001:\n",
    ),
    GSHADOW: (
        0o640,
        "shadow",
        "root:*::\ndaemon:*::\nadm:*::\nsudo:*::student,ict\naudio:*::\nusers:*::\nstudent:!::\nict:!::\n",
    ),
}
#: And what of PAM the kinds of policy look at.
FURNISHED |= {
    "/etc/pam.d/common-account": (
        0o644,
        "root",
        "account [success=ignore perm_denied=die default=ignore] pam_time.so "
        "conffile=/etc/security/bookbag-hours.conf\naccount required pam_unix.so\n",
    ),
    "/etc/pam.d/common-password": (
        0o644,
        "root",
        "password requisite pam_pwquality.so retry=3\npassword required pam_unix.so\n",
    ),
    "/etc/security/bookbag-hours.conf": (0o644, "root", "# Without a rule, always.\n"),
    "/var/cache/cracklib/cracklib_dict.pwd": (0o644, "root", "simulated\n"),
}


def furnish(files: Files) -> None:
    """Give a laptop that has none its accounts, and PAM."""
    for home in ("/home/student", "/home/ict"):
        files.make_parents(f"{home}/x")
    for path, (mode, group, text) in FURNISHED.items():
        if files.read(path) is None:
            files.make_parents(path)
            files.write(path, Node("file", mode, group=group, content=text.encode()))


class SandboxAccounts(AccountFiles):
    """The accounts in ``files``, which lie in ``folder``."""

    def __init__(self, files: Files, folder: str) -> None:
        super().__init__(files)
        self._folder = folder

    def add(self, name: str, shown: str) -> None:
        if self.find(name) is not None or self.members(name) is not None:
            raise BookbagError("not-effective", f"cannot change accounts: {name} exists already")
        number = max([FIRST_PERSON - 1, *(one.uid for one in self.people())]) + 1
        home = f"/home/{name}"
        self._append(GROUP, f"{name}:x:{number}:")
        self._append(GSHADOW, f"{name}:!::")
        self._append(PASSWD, f"{name}:x:{number}:{number}:{shown}:{home}:/bin/bash")
        self._append(SHADOW, f"{name}:!:19000:0:99999:7:::")
        self._files.make_parents(f"{home}/x")
        for path in self._inside(SKELETON, ""):
            node = self._files.read(SKELETON + path)
            if node is not None and node.kind == "file":
                self._files.make_parents(home + path)
                self._files.write(home + path, node)
        self.set_home_mode(name, 0o700)

    def change(self, name: str, shown: str, expires: str) -> None:
        self._known(name)
        self._edit(PASSWD, name, lambda row: [*row[:4], shown, *row[5:]])
        self._edit(SHADOW, name, lambda row: [*row[:7], expires, *row[8:]])

    def bar(self, name: str, barred: bool) -> None:
        if self.barred(name) is not barred:
            there = self._password(name)
            wanted = f"!{there}" if barred else there.removeprefix("!")
            self._edit(SHADOW, name, lambda row: [row[0], wanted, *row[2:]])

    def give_password(self, name: str, hashed: str) -> None:
        self._known(name)
        self._edit(SHADOW, name, lambda row: [row[0], hashed, "0", *row[3:]])

    def take_password(self, name: str) -> None:
        self._known(name)
        self._edit(SHADOW, name, lambda row: [row[0], "!", *row[2:]])

    def remove(self, name: str) -> None:
        account = self._unused(name)
        for path in (PASSWD, SHADOW):
            self._edit(path, name, lambda _: [])
        groups = [row[0] for row in self._rows(GROUP, 4) if name in row[3].split(",")]
        for path in (GROUP, GSHADOW):
            for group in groups:
                self._edit(path, group, lambda row: [*row[:3], _without(row[3], name)])
            self._edit(path, name, lambda _: [])
        self._remove_home(account.home)

    def add_group(self, name: str) -> None:
        if self.members(name) is not None:
            raise BookbagError("not-effective", f"cannot change accounts: the group {name} exists already")
        taken = [int(row[2]) for row in self._rows(GROUP, 4) if row[2].isdigit()]
        number = max([FIRST_PERSON - 1, *(gid for gid in taken if gid >= FIRST_PERSON)]) + 1
        self._append(GROUP, f"{name}:x:{number}:")
        self._append(GSHADOW, f"{name}:!::")

    def remove_group(self, name: str) -> None:
        self._edit(GROUP, name, lambda _: [])
        self._edit(GSHADOW, name, lambda _: [])

    def set_members(self, group: str, members: Iterable[str]) -> None:
        if self.members(group) is None:
            raise BookbagError("not-effective", f"cannot change accounts: there is no group {group}")
        named = ",".join(members)
        self._edit(GSHADOW, group, lambda row: [*row[:3], named])
        self._edit(GROUP, group, lambda row: [*row[:3], named])

    def set_home_mode(self, name: str, mode: int) -> None:
        home = self._known(name).home
        node = self._files.read(home)
        if node is None or node.kind != "directory":
            raise BookbagError("bad-path", f"cannot change a folder that is not {name}'s", place=home)
        if node.mode != mode:
            os.chmod(self._folder + home, mode | stat.S_IRWXU)

    # -- beneath

    def _append(self, path: str, line: str) -> None:
        text = self._text(path)
        self._put(path, text + ("" if text.endswith("\n") or not text else "\n") + line + "\n")

    def _edit(self, path: str, name: str, change: Callable[[list[str]], list[str]]) -> None:
        """The line of ``name`` as ``change`` has it; gone where that is nothing."""
        lines = []
        for line in self._text(path).splitlines():
            row = line.split(":")
            made = change(row) if row[0] == name else row
            lines += [":".join(made)] if made else []
        self._put(path, "".join(f"{line}\n" for line in lines))

    def _put(self, path: str, text: str) -> None:
        node = self._files.read(path) or Node("file", 0o644)
        content = text.encode("utf-8", "surrogateescape")
        if node.content != content:
            self._files.write(path, replace(node, content=content))


def _without(members: str, name: str) -> str:
    return ",".join(one for one in members.split(",") if one != name)
