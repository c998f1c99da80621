"""What pull requests, job summaries and issues on GitHub show, and which reviewed plans are still to be applied.

`publish` shows a plan, an apply or a drift document; `fetch_reviewed` brings the plans of merged pull requests. Only
comments and issues of our own account are touched, found by a hidden marker; everything may be done again at any time.
"""
