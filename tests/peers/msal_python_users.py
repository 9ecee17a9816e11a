"""Signs users in with an unmodified MSAL Python: JSON lines on stdout for the test, its answers on stdin."""

import json
import sys

import msal

from msal_python import LoopbackSession


def ask(question):
    print(json.dumps(question), flush=True)
    return json.loads(sys.stdin.readline())


def by_code(app, job):
    flow = app.initiate_auth_code_flow(job["scopes"], redirect_uri=job["redirectUri"], max_age=60)
    return app.acquire_token_by_auth_code_flow(flow, ask({"authUri": flow["auth_uri"]}))


def by_device(app, job):
    flow = app.initiate_device_flow(scopes=job["scopes"])
    ask({"userCode": flow["user_code"]})
    return app.acquire_token_by_device_flow(flow)


def make_app(job):
    session = LoopbackSession(job["origin"])
    options = {"authority": job["authority"], "http_client": session, "instance_discovery": False}
    if "clientSecret" not in job:
        return msal.PublicClientApplication(job["clientId"], **options)
    return msal.ConfidentialClientApplication(job["clientId"], client_credential=job["clientSecret"], **options)


def main():
    job = json.loads(sys.stdin.readline())
    app = make_app(job)
    result = by_code(app, job) if "clientSecret" in job else by_device(app, job)
    account = app.get_accounts()[0]
    silent = app.acquire_token_silent(job["scopes"], account=account)
    forced = app.acquire_token_silent(job["scopes"], account=account, force_refresh=True)
    outcome = {
        "error": result.get("error_description"),
        "username": account["username"],
        "homeAccountId": account["home_account_id"],
        "claims": result.get("id_token_claims"),
        "sameToken": silent["access_token"] == result["access_token"],
        "renewed": forced["access_token"] != result["access_token"],
        "accessToken": forced["access_token"],
    }
    print(json.dumps({"outcome": outcome}), flush=True)


main()
