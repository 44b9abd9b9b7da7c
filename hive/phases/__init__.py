"""The turn (floor 5): five phases, one file each, in order; `turn` walks a strand through them."""
