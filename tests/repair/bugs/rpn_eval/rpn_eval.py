"""A calculator for reverse Polish notation."""


def rpn_eval(tokens):
    """The value of a list of numbers and the operators + - * /."""
    operators = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
    }
    stack = []
    for token in tokens:
        if isinstance(token, float):
            stack.append(token)
        else:
            a = stack.pop()
            b = stack.pop()
            stack.append(operators[token](a, b))
    return stack.pop()
