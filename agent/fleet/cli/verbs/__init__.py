"""One file per verb of `bookbag-fleet`: NAME comes from the file, HELP, arguments and run from inside it."""
