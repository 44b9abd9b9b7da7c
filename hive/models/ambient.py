"""What an SDK takes from the environment by itself (models floor)."""

from typing import Any, TypeVar

__all__ = ["without_account"]

Client = TypeVar("Client")


def without_account(client: Client) -> Client:
    """The client without what the environment says of an account: the organization, the project, an
    administrator's key, further headers. They are for the SDK's own company and nobody else."""
    spoken: Any = client
    for name in ("organization", "project", "admin_api_key"):
        if hasattr(spoken, name):
            setattr(spoken, name, None)
    spoken._custom_headers = {}  # neither SDK has a public way to be without those it found
    return client
