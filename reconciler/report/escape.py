"""The escaping that reports share with everything below them: see `reconciler.escape`."""

from reconciler.escape import markdown_code, markdown_fence, markdown_text, terminal_text

__all__ = ["markdown_code", "markdown_fence", "markdown_text", "terminal_text"]
