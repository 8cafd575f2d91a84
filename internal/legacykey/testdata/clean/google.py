TOKEN_URL = "https://example.com/oauth/v1/token"
GRANT = {"grant_type": "client_credentials"}
