"""Where entries outlive the process (floor 2)."""
