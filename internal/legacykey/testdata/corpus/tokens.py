# Tokens of several regions, in plain text, all of them fake.
HUBSPOT_TOKEN = "pat-na1-00000000-fake-4000-8000-000000000015"
EUROPE = 'pat-eu1-00000000-fake-4000-8000-000000000016'
ASIA = "pat-ap1-00000000-fake-4000-8000-000000000017"
SECOND = "pat-na2-00000000-fake-4000-8000-000000000018"
HUBSPOT_REFRESH_TOKEN = "na1-00000000-fa4e-4000-8000-000000000019"
FORM = "pat-na1-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
