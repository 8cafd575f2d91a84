"""Reads contacts, companies and owners."""
import requests
import sys
import os.path

BASE = os.environ.get("HUBSPOT_BASE_URL", "https://api.hubapi.com")
HAPIKEY = os.environ["HAPIKEY"]


def contacts(limit):
    # one page only
    r = requests.get(f"{BASE}/crm/v3/objects/contacts?hapikey={HAPIKEY}&limit={limit}", timeout=10)
    r.raise_for_status()
    return r.json()["results"]


def companies():
    params = {"hapikey": HAPIKEY, "limit": 1}
    headers = {"Accept": "application/json"}
    r = requests.get(BASE + "/crm/v3/objects/companies", params=params, headers=headers)
    r.raise_for_status()
    return r.json()["results"]


def owners():
    url = BASE + "/crm/v3/owners?hapikey=" + HAPIKEY
    r = requests.get(
        url,
        params={
            "limit": 1,
        },
    )
    r.raise_for_status()
    return r.json()["results"]


if __name__ == "__main__":
    print(len(contacts(2)), len(companies()), len(owners()))
