"""network.proxy: through what programs of the desktop reach the web."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile
from agent.policy.syntax.nodes import Node, Scalar
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import Key, ListOf, Record, Text, Type, Url, wrong

NONE: Final = "none"
_FOLDER: Final = "/system/proxy"
_PROXY: Final = Text(
    most=260,
    pattern=r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?:[1-9][0-9]{0,4}",
    what="a host and port, as in proxy.north.example:3128",
)
_PAST: Final = Text(
    most=253,
    pattern=r"(\*\.)?[a-z0-9:]([a-z0-9.:/-]{0,250}[a-z0-9])?",
    what="a host, *.name or network that is reached without it",
)
_KEYS: Final = Record(
    {
        "http": Key(_PROXY, about="for http"),
        "https": Key(_PROXY, about="for https"),
        "except": Key(ListOf(_PAST, 100), about="what is reached directly"),
        "pac": Key(Url(), about="a script that says which proxy to use; without the others"),
    },
    "a proxy",
)


@dataclass(frozen=True, slots=True)
class _Proxy:
    """`NONE`, or a proxy by name, or by script."""

    def read(self, node: Node, problems: Problems) -> object:
        if isinstance(node, Scalar) and node.value == NONE:
            return NONE
        if isinstance(node, Scalar):
            return wrong(self, node, problems)
        value = _KEYS.read(node, problems)
        if not isinstance(value, dict):
            return value
        if "pac" in value and len(value) > 1:
            return wrong(self, node, problems, why="pac stands alone")
        if not value.keys() & {"http", "https", "pac"}:
            return wrong(self, node, problems, why="it names none")
        if any(int(str(value[one]).rpartition(":")[2]) > 65535 for one in ("http", "https") if one in value):
            return wrong(self, node, problems, why="a port goes up to 65535")
        return value

    def describe(self) -> str:
        return f"{NONE}, or a mapping with http and https (and optionally except), or with pac"

    def schema(self) -> dict[str, object]:
        return {"anyOf": [{"enum": [NONE]}, _KEYS.schema()]}


class NetworkProxy(Setting):
    """GNOME's own keys, which its programs and both browsers follow unless they are told otherwise."""

    key: ClassVar[str] = "network.proxy"
    about: ClassVar[str] = (
        "Through which proxy the desktop's programs reach the web, or that they use none: GNOME's settings, "
        "which Chromium and Firefox follow, too. Nobody can change it. Programs on the command line and "
        "Bookbag itself do not ask for it, so it cannot cut the laptop off from the school's service."
    )
    value: ClassVar[Type] = _Proxy()
    merge: ClassVar[Merge] = Merge.REPLACE
    powers: ClassVar[str] = "whoever runs a proxy reads and changes what is not encrypted"
    why: ClassVar[Mapping[str, str]] = {
        "en": "The school decided how programs reach the web, so that it works on the school's network.",
        "ar": "حددت المدرسة كيف تصل البرامج إلى الإنترنت لكي تعمل في شبكة المدرسة.",
    }
    example: ClassVar[str] = (
        "network.proxy:\n"
        "  value:\n"
        "    http: proxy.north.example:3128\n"
        "    https: proxy.north.example:3128\n"
        '    except: ["*.north.example", 10.2.0.0/16]'
    )

    def compile(self, value: object) -> tuple[Resource, ...]:
        return DconfProfile(), Dconf(group="proxy", values=_values(value))

    def show(self, value: object) -> str:
        if not isinstance(value, Mapping):
            return str(value)
        return ", ".join(
            f"{name} {', '.join(map(str, one)) if isinstance(one, list) else one}"
            for name, one in value.items()
        )


def _values(value: object) -> dict[str, str]:
    """GNOME's keys; what is not spoken of is empty, so that nobody's own stays in force."""
    said = value if isinstance(value, Mapping) else {}
    mode = "none" if not said else "auto" if "pac" in said else "manual"
    made = {
        f"{_FOLDER}/mode": f"'{mode}'",
        f"{_FOLDER}/autoconfig-url": "'{}'".format(str(said.get("pac", "")).replace("'", "%27")),
        f"{_FOLDER}/ignore-hosts": "[{}]".format(
            ", ".join(f"'{one}'" for one in ("localhost", "127.0.0.0/8", "::1", *_list(said.get("except"))))
        ),
    }
    for name in ("http", "https"):
        host, _, port = str(said.get(name, ":0")).rpartition(":")
        made[f"{_FOLDER}/{name}/host"] = f"'{host}'"
        made[f"{_FOLDER}/{name}/port"] = port
    return made


def _list(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
