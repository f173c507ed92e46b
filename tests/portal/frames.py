"""Frames of another origin within a tab."""

from __future__ import annotations

from tests.portal.window import Tab, Window


def frame_of(window: Window, tab: Tab, part: str) -> str:
    """A session in the frame whose address holds ``part``, within the tab."""
    for _ in range(100):
        for target in window.talk.call("Target.getTargets")["targetInfos"]:
            if target["type"] == "iframe" and part in target["url"]:
                attached = window.talk.call(
                    "Target.attachToTarget", targetId=target["targetId"], flatten=True
                )
                return str(attached["sessionId"])
        tab.value("new Promise(done => setTimeout(done, 50))")
    raise AssertionError(f"there is no frame of {part}")


def in_frame(window: Window, session: str, script: str) -> object:
    answer = window.talk.call(
        "Runtime.evaluate",
        session,
        expression=script,
        awaitPromise=True,
        returnByValue=True,
        userGesture=True,
    )
    assert "exceptionDetails" not in answer, answer
    return answer["result"].get("value")
