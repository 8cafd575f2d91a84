#!/usr/bin/env python3
import json
import urllib.request

hapikey = '00000000-fa4e-4000-8000-000000000003'
BASE = __import__('os').environ.get('HUBSPOT_BASE_URL', 'https://api.hubapi.com')

with urllib.request.urlopen(BASE + "/crm/v3/objects/contacts?limit=2&hapikey=" + hapikey) as answer:
    print(len(json.load(answer)["results"]))
