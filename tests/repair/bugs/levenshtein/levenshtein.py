"""Edit distance, by its definition."""


def levenshtein(source, target):
    """The fewest insertions, deletions and substitutions from source to target."""
    if not source or not target:
        return len(source) + len(target)
    if source[0] == target[0]:
        return 1 + levenshtein(source[1:], target[1:])
    return 1 + min(
        levenshtein(source, target[1:]),
        levenshtein(source[1:], target),
        levenshtein(source[1:], target[1:]),
    )
