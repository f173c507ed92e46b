"""A real laptop: Linux with systemd."""
