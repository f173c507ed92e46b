"""One file per subject: which rows it promises, and how they are measured."""
