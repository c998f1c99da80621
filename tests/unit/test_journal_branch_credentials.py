"""Which token goes where; and that none is anywhere else."""

from __future__ import annotations

import pytest
from journal_lab import diagnostic

from reconciler.errors import JournalError
from reconciler.journal_branch.credentials import find_token, header_configuration, without_credentials
from reconciler.journal_branch.git import private_environment, said_by_git
from reconciler.journal_branch.refusals import is_race, refused

GITHUB = {"GITHUB_TOKEN": "ghs_a", "GITHUB_SERVER_URL": "https://github.com"}
GITLAB = {"CI_JOB_TOKEN": "glcbt-a", "CI_SERVER_URL": "https://gitlab.example:8443/below"}
OURS = {"RECONCILER_GIT_TOKEN": "any"}


@pytest.mark.parametrize(
    ("url", "environment", "found"),
    [
        ("https://github.com/acme/mail", GITHUB, ("x-access-token", "ghs_a")),
        ("https://github.com:443/acme/mail", GITHUB, ("x-access-token", "ghs_a")),
        ("https://somebody@github.com/acme/mail", GITHUB, ("x-access-token", "ghs_a")),
        ("http://github.com/acme/mail", GITHUB, None),
        ("https://github.com.evil.example/acme/mail", GITHUB, None),
        ("https://github.com@evil.example/acme/mail", GITHUB, None),
        ("https://github.com:8443/acme/mail", GITHUB, None),
        ("https://github.com/acme/mail", {"GITHUB_TOKEN": "ghs_a"}, None),
        ("https://github.com/acme/mail", {**GITHUB, "GITHUB_TOKEN": ""}, None),
        ("git@github.com:acme/mail", GITHUB, None),
        ("ssh://git@github.com/acme/mail", {**GITHUB, **OURS}, None),
        ("/srv/git/mail.git", {**GITHUB, **OURS}, None),
        ("https://gitlab.example:8443/below/acme/mail.git", GITLAB, ("gitlab-ci-token", "glcbt-a")),
        ("https://gitlab.example/acme/mail.git", GITLAB, None),
        ("https://git.example/acme/mail", {**GITHUB, **GITLAB, **OURS}, ("x-access-token", "any")),
        ("https://github.com/acme/mail", {**GITHUB, **OURS}, ("x-access-token", "any")),
        ("https://git.example:port/acme/mail", GITHUB, None),
        ("https://github.com/a", {**GITHUB, "GITHUB_SERVER_URL": "https://[x"}, None),
    ],
)
def test_a_forges_token_is_for_that_forge_and_ours_for_any_remote_by_http(
    url: str, environment: dict[str, str], found: tuple[str, str] | None
) -> None:
    assert find_token(url, environment) == found


@pytest.mark.parametrize("token", ["a\nHost: evil", "a b", "ä", "a\r"])
def test_what_is_no_token_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(JournalError) as refusal:
        find_token("https://git.example/mail", {"RECONCILER_GIT_TOKEN": token})
    code, text = diagnostic(refusal)
    assert code == "journal-branch-token"
    assert token not in text


def test_the_header_is_for_this_url_and_takes_back_another_one() -> None:
    configuration = header_configuration("https://git.example/mail.git", "user", "secret")
    key = "http.https://git.example/mail.git.extraheader"
    assert configuration[:2] == ((key, ""), (key, "Authorization: Basic dXNlcjpzZWNyZXQ="))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@git.example/mail", "https://git.example/mail"),
        ("https://git.example/mail", "https://git.example/mail"),
        ("https://a@b:secret@git.example:8443/mail", "https://git.example:8443/mail"),
        ("git@git.example:mail", "git@git.example:mail"),
        ("/srv/mail@home.git", "/srv/mail@home.git"),
    ],
)
def test_a_url_is_shown_without_what_is_secret_in_it(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


def test_git_gets_what_is_configured_after_what_is_there_and_nothing_of_another_repository() -> None:
    environment = {
        "HOME": "/home/somebody",
        "GIT_DIR": "elsewhere",
        "GIT_INDEX_FILE": "elsewhere",
        "GIT_TRACE_CURL": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "a.b",
        "GIT_CONFIG_VALUE_0": "c",
        "GIT_SSH_COMMAND": "ssh -i key",
    }
    private = private_environment(environment, (("http.x.extraheader", "y"),))
    assert private["HOME"] == "/home/somebody"
    assert private["GIT_SSH_COMMAND"] == "ssh -i key"
    assert not {"GIT_DIR", "GIT_INDEX_FILE", "GIT_TRACE_CURL"} & private.keys()
    assert (private["GIT_CONFIG_COUNT"], private["GIT_CONFIG_KEY_0"]) == ("2", "a.b")
    assert (private["GIT_CONFIG_KEY_1"], private["GIT_CONFIG_VALUE_1"]) == ("http.x.extraheader", "y")


def test_what_git_says_is_one_line_without_a_secret() -> None:
    said = said_by_git(b"fatal: https://u:secret@h/ \xff\r\nhint: try\n", ["u:secret"])
    assert said == "fatal: https://***@h/ �; hint: try"
    assert said_by_git(b"") == "it said nothing"
    assert len(said_by_git(b"x" * 10_000)) == 600


@pytest.mark.parametrize(
    ("said", "code"),
    [
        # as GitHub, GitLab, Gitea and git itself say it
        ("remote: error: GH006: Protected branch update failed for refs/heads/reconciler-journal.", "protected"),
        ("remote: error: GH013: Repository rule violations found for refs/heads/reconciler-journal.", "protected"),
        ("remote: GitLab: You are not allowed to force push code to a protected branch on this project.", "protected"),
        ("! c:refs/heads/x [remote rejected] (pre-receive hook declined)", "protected"),
        ("! c:refs/heads/x [remote rejected] (non-fast-forward)", "protected"),
        ("remote: Permission to acme/mail.git denied to github-actions[bot].; fatal: ... error: 403", "denied"),
        ("remote: Write access to repository not granted.; fatal: ... returned error: 403", "denied"),
        ("remote: HTTP Basic: Access denied.; fatal: Authentication failed for 'https://gitlab.example/'", "denied"),
        ("remote: You are not allowed to upload code.", "denied"),
        ("fatal: could not read Username for 'https://github.com': terminal prompts disabled", "denied"),
        ("git@github.com: Permission denied (publickey).", "denied"),
        ("remote: fatal: Unable to create temporary file '/srv/objects': Permission denied", "denied"),
        ("fatal: unable to access 'https://github.com/': Could not resolve host: github.com", "unreachable"),
        ("no answer within 600 seconds", "unreachable"),
    ],
)
def test_each_refusal_says_what_to_do(said: str, code: str) -> None:
    diagnostic = refused("origin/reconciler-journal", "pushed", said).diagnostics[0]
    assert diagnostic.code == f"journal-branch-{code}"
    assert said in diagnostic.summary
    words = {"protected": "exempt it from rules", "denied": "contents: write", "unreachable": "Check the remote's URL"}
    assert words[code] in diagnostic.detail


@pytest.mark.parametrize(
    ("said", "is_lost"),
    [
        ("! c:refs/heads/x [rejected] (stale info)", True),
        ("! c:refs/heads/x [remote rejected] (cannot lock ref 'refs/heads/x': is at a but expected b)", True),
        ("! c:refs/heads/x [remote rejected] (failed to update ref)", False),
        ("remote: Permission denied", False),
    ],
)
def test_a_race_is_told_from_a_refusal(said: str, is_lost: bool) -> None:  # noqa: FBT001 - what is expected
    assert is_race(said) == is_lost
