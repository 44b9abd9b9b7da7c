"""OpenAI's Responses API (models floor).

Nothing is stored at OpenAI: each request carries the whole conversation, reasoning items included,
unchanged and encrypted. Thinking of other providers is left out.
"""
