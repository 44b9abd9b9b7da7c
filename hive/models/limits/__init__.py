"""What a server lets through, and whether it is well (models floor); shared by a whole process."""
