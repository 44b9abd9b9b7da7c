"""Breaking text into lines at blanks."""


def wrap(text, width):
    """The lines of a text, each at most width long; a word too long is cut."""
    lines = []
    while len(text) > width:
        end = text.rfind(" ", 0, width)
        if end == -1:
            end = width
        line, text = text[:end], text[end:]
        lines.append(line)
    return lines
