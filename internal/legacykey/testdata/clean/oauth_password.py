# Another product, not Salesforce.
requests.post("https://id.example.com/token", data={"grant_type": "password", "username": "ada"})
