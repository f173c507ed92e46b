"""The browser settings of IT's folder, for laptops that Bookbag itself does not look after."""
