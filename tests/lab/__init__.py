"""The lab: real Debian laptops, booted by systemd-nspawn on a network of their own.

``image`` builds what a laptop's disk holds, ``agent_layer`` installs this project on it, ``network`` is the
cable between laptops and the school's server, ``laptop`` is one laptop, ``browser`` its browser, ``fixtures``
hands them to tests. Nothing of the machine that runs the lab is changed; ``sweep`` removes what a killed run
left.
"""
