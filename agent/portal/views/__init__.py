"""One file per page. Each has functions from a `Visit` to a whole page; none asks anything of the network."""
