import os
import requests

# The migration from hapikey to tokens is done.
URL = "https://api.hubapi.com/crm/objects/2026-09/contacts"


def read():
    return requests.get(URL, headers={"Authorization": "Bearer " + os.environ["HUBSPOT_ACCESS_TOKEN"]}).json()
