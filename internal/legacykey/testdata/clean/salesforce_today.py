import os
import requests

answer = requests.post(
    os.environ["SALESFORCE_URL"] + "/services/oauth2/token",
    data={"grant_type": "client_credentials", "client_id": os.environ["SF_CLIENT_ID"], "client_secret": os.environ["SF_CLIENT_SECRET"]},
)
query = "/services/data/v68.0/query"
