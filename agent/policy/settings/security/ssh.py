"""security.ssh: who gets in by ssh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.ssh_server import RULES, SshServer


class SecuritySsh(Graded):
    """OpenSSH's server, where there is one; what students reach elsewhere is not spoken of."""

    key: ClassVar[str] = "security.ssh"
    about: ClassVar[str] = (
        "Who gets into the laptop by ssh: any as the machine has it, only who has a key and no password, "
        "or nobody. The server is asked whether it obeys. Who is in already stays. A laptop without the "
        "server lets nobody in, and one that is installed later obeys from its first start."
    )
    words: ClassVar[tuple[str, ...]] = tuple(RULES)
    powers: ClassVar[str] = SshServer.risk
    why: ClassVar[Mapping[str, str]] = {
        "en": "Nobody gets into this laptop over the network by guessing a password.",
        "ar": "لا يدخل أحد هذا الحاسوب عبر الشبكة بتخمين كلمة مرور.",
    }
    example: ClassVar[str] = "security.ssh: keys"

    def compile(self, value: object) -> tuple[Resource, ...]:
        return (SshServer(str(value)),)
