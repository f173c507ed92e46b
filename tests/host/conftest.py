"""Laptops for what only systemd can show."""

from tests.lab.fixtures import debian, lab, laptop_factory, network, school_laptop, with_agent

__all__ = ["debian", "lab", "laptop_factory", "network", "school_laptop", "with_agent"]
