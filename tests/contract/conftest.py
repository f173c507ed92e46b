"""Laptops for the part of the contract that only a real machine can show."""

from tests.lab.fixtures import debian, lab, laptop, laptop_factory, network, school_laptop, with_agent

__all__ = ["debian", "lab", "laptop", "laptop_factory", "network", "school_laptop", "with_agent"]
