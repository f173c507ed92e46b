"""What a verb says to people."""

from __future__ import annotations

import io

from agent.fleet.cli.console import Console


def test_columns_are_aligned_and_one_long_cell_makes_no_other_row_longer() -> None:
    out = io.StringIO()
    console = Console(out=out)
    console.table(
        [["a", "short", "x"], ["bcd", "in the middle", "y"], ["e", "long " * 30, "z"]], head=["k", "v", "w"]
    )
    head, first, second, third = out.getvalue().splitlines()
    assert head.index("w") == first.index("x") == second.index("y") == len("bcd  in the middle  ")
    assert third == f"e    {'long ' * 30}  z"
