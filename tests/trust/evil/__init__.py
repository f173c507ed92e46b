"""The evil mirror: somebody who holds the site's real online keys, every byte ever published and one person's
stolen keys, against laptops that must never be led astray. `desk` is honest, `forge` is not, `judge` knows
who signed what.
"""
