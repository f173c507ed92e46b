"""Which units of the service manager are no policy's, whoever signs it."""

from __future__ import annotations

from fnmatch import fnmatchcase

#: What a policy that stops it could not be withdrawn without, or a student not log in without.
_PROTECTED = (
    *("bookbag*", "systemd-*", "dbus*", "user@*", "getty*", "serial-getty@*", "console-*", "emergency*"),
    *("rescue*", "initrd-*", "cryptsetup*", "NetworkManager*", "networking.service", "wpa_supplicant*"),
    *("display-manager.service", "gdm*.service", "lightdm.service", "sddm.service", "polkit*", "udev*"),
)
_ALLOWED = ("systemd-resolved.service", "systemd-timesyncd.service")


def forbidden_unit(unit: str) -> str:
    """Why no policy at all may decide about ``unit``; empty if one may."""
    if unit in _ALLOWED or not any(fnmatchcase(unit, one) for one in _PROTECTED):
        return ""
    return "without it the laptop could not be used, or no policy withdrawn"
