"""IT's side: the folder in which a school keeps people, keys, policies and devices, and everything done
with it.

`folder` and `records` say what lies where; `desk` opens it for work; `cli` is `bookbag-fleet`, one file per
verb;
`service` is the embedded central service of one school.
"""
