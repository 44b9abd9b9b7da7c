"""Anthropic's Messages API (models floor).

Thinking blocks are sent back unchanged, signatures included; thinking of other providers is left
out. A typed answer is asked for natively where the model and the schema allow it, otherwise
through a tool that it must call, whose arguments become the answer's text.
"""
