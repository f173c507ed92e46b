"""What an operating-system error means to the person who reads it: the one table, for every room."""

from __future__ import annotations

import errno

from agent.core.errors import BookbagError

_MEANINGS: dict[int, tuple[str, str, str]] = {
    errno.ENOSPC: ("disk-full", "no space is left on the disk", "free some space"),
    errno.EDQUOT: ("disk-full", "the quota is used up", "free some space or raise the quota"),
    errno.EFBIG: ("disk-full", "the file would be larger than its limit", ""),
    errno.EROFS: ("not-allowed", "the file system is read-only", "mount it writable"),
    errno.EPERM: (
        "not-allowed",
        "it is immutable, or this process is not entitled to",
        "see lsattr",
    ),
    errno.EACCES: ("not-allowed", "this process is not entitled to", ""),
    errno.EBUSY: ("not-allowed", "it is in use, or something is mounted there", ""),
    errno.ENOTSUP: ("not-supported", "the file system does not keep such attributes", ""),
    errno.ENOTDIR: ("bad-path", "a part of the path is no directory", ""),
    errno.EISDIR: ("bad-path", "a directory is in the way", ""),
    errno.ELOOP: ("bad-path", "there are links in the way", ""),
    errno.ENAMETOOLONG: ("bad-path", "a name is too long for this file system", ""),
    errno.EEXIST: ("bad-path", "something is in the way", ""),
    errno.ENOTEMPTY: ("bad-path", "a directory with something in it is in the way", ""),
    errno.ENOENT: ("not-found", "it is not there", ""),
}


def explained(error: OSError, doing: str, path: str) -> BookbagError:
    """``error`` as a BookbagError: ``doing`` completes "cannot …", ``path`` is the place."""
    code, why, remedy = _MEANINGS.get(
        error.errno or 0,
        ("io-error", error.strerror or type(error).__name__, "check the disk and the kernel's log"),
    )
    return BookbagError(code, f"cannot {doing}: {why}", place=path, remedy=remedy)


def full(doing: str, path: str) -> BookbagError:
    """That no space is left, where nobody but us noticed."""
    return explained(OSError(errno.ENOSPC, ""), doing, path)
