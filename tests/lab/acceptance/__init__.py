"""What a school gets, end to end: a desk, its service and two enrolled laptops, real units, real commands."""
