import requests

URL = "https://api.hubapi.com/crm/v3/objects/contacts?hapikey={}"


def read(key):
    return requests.get(URL.format(key)).json()
