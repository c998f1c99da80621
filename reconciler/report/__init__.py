"""One plan document in several forms: text for a terminal, Markdown for a pull request, HTML, JSON.

Names and values come from DNS and from manifests and are hostile: `escape.py` makes them safe for each place.
"""
