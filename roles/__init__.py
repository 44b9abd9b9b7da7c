"""The cast: planner, researcher, coder, reviewer, arbiter and the team they form."""
