"""What short-lived workers do: one module per name, each with ``run(context) -> exit code``."""
