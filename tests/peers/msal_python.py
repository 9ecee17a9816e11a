"""Drives an unmodified MSAL Python: a job as JSON on stdin, what came of it as JSON on stdout."""

import json
import re
import sys
import warnings

import msal
import requests

# What is asked for, app tokens without a user, is deprecated in some versions and an error in none.
warnings.simplefilter("ignore")


class LoopbackSession(requests.Session):
    """Takes requests for any host to a server on loopback; the Host header still names the host."""

    def __init__(self, origin):
        super().__init__()
        # The machine's proxies and certificate bundles have no part in this.
        self.trust_env = False
        self.origin = origin
        self.sent = []

    def request(self, method, url, **kwargs):
        host, path = re.match(r"^https://([^/]+)(/.*)$", url).groups()
        self.sent.append(method + " " + path.split("?")[0])
        headers = dict(kwargs.pop("headers", None) or {}, Host=host)
        return super().request(method, self.origin + path, headers=headers, **kwargs)


def is_older_than(version):
    return [int(part) for part in msal.__version__.split(".")[:2]] < version


def acquire(app, scopes, tries_cache):
    # Up to 1.22 the cache was looked at by acquire_token_silent alone; since then it does so for users alone.
    if tries_cache and is_older_than([1, 23]):
        return app.acquire_token_silent(scopes, account=None)
    return app.acquire_token_for_client(scopes=scopes)


def make_app(job, cache, session):
    options = dict(
        authority=job["authority"],
        token_cache=cache,
        http_client=session,
        instance_discovery=job.get("instanceDiscovery", False),
    )
    credential = job.get("clientCertificate") or job.get("clientSecret")
    if credential is None:
        return msal.PublicClientApplication(job["clientId"], **options)
    return msal.ConfidentialClientApplication(job["clientId"], client_credential=credential, **options)


def call(app, method, arguments):
    # An account is named by its user.
    if "account" in arguments:
        username = arguments["account"]
        accounts = [one for one in app.get_accounts() if one["username"] == username]
        arguments = dict(arguments, account=accounts[0] if accounts else None)
    return getattr(app, method)(**arguments)


def main():
    job = json.load(sys.stdin)
    session = LoopbackSession(job["origin"])
    cache = msal.SerializableTokenCache()
    cache.deserialize(job.get("cache"))
    app = make_app(job, cache, session)
    session.sent.clear()  # Its discovery, at construction
    if job.get("user"):
        # What a sign-in leaves behind.
        cache.add(job["user"])
    result = acquire(app, job["scopes"], job.get("triesCache", False)) if job.get("scopes") else None
    json.dump(
        {
            "version": msal.__version__,
            "result": result,
            "results": [call(app, *one) for one in job.get("calls", [])],
            "sent": session.sent,
            "accounts": [account["username"] for account in app.get_accounts()],
            "refreshTokens": [rt["secret"] for rt in cache.find("RefreshToken")],
            "appMetadata": cache.find("AppMetadata"),
            "cache": cache.serialize(),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
