"""Sessions straight from a classroom: what a teacher's program and the school's service say to each other.

The teacher's key signs on the teacher's laptop; the service checks, files and publishes what laptops then
check all over again.
"""
