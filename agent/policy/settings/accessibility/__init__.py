"""What a student needs to see, hear and type: there from login on, and theirs to change."""
