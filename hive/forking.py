"""How a fork begins (floor 6): another course from a cut of a recorded run."""
