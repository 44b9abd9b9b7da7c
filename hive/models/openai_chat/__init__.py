"""Chat Completions (models floor): OpenAI's, and that of the many servers that speak it too.

Reasoning that such servers put beside the text is kept as Thinking and sent back in the same
fields. Thinking of other providers is left out.
"""
