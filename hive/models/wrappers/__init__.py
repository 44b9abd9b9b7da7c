"""Models around models (models floor): each does something about the calls of the one inside."""
