"""accounts.password-quality: what a new password must be like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.password_quality import LEVELS, PasswordQuality


class AccountsPasswordQuality(Graded):
    """Asked when a password is changed; those that are in use stay."""

    key: ClassVar[str] = "accounts.password-quality"
    about: ClassVar[str] = (
        "What a new password must be like. basic: six characters, for the youngest. good: eight, and in no "
        "dictionary of bad passwords. strong: twelve, of three kinds (small, capital, digits, others), and "
        "in no dictionary. None may hold the login name. Needs libpam-pwquality, and for good and strong "
        "cracklib-runtime."
    )
    words: ClassVar[tuple[str, ...]] = tuple(LEVELS)
    why: ClassVar[Mapping[str, str]] = {
        "en": "A new password must not be easy to guess, so that nobody works or writes in your name.",
        "ar": "يجب ألّا يسهل تخمين كلمة المرور الجديدة، حتى لا يعمل أحد أو يكتب باسمك.",
    }
    example: ClassVar[str] = "accounts.password-quality: good"

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        return (PasswordQuality(str(value)),)
