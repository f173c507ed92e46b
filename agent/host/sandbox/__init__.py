"""A whole laptop in a folder: nothing outside is touched, nothing is started; it says it is simulated."""
