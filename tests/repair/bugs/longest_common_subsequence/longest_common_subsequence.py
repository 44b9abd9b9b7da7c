"""Longest common subsequence by recursion."""


def longest_common_subsequence(first, second):
    """A longest text that both contain, in order but with gaps."""
    if not first or not second:
        return ""
    if first[0] == second[0]:
        return first[0] + longest_common_subsequence(first[1:], second)
    return max(
        longest_common_subsequence(first, second[1:]),
        longest_common_subsequence(first[1:], second),
        key=len,
    )
