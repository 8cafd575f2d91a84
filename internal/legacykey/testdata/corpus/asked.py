import os
import requests

hapikey = os.getenv("HAPIKEY")
if not hapikey:
    raise SystemExit("set HAPIKEY")

print(requests.get("https://api.hubapi.com/crm/v3/owners", params={"hapikey": hapikey}).status_code)
