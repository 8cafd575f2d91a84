import hubspot
from hubspot import HubSpot
from hubspot3 import Hubspot3

api_client = HubSpot(api_key="00000000-fa4e-4000-8000-000000000004")
old_client = hubspot.Client.create(api_key=settings.HUBSPOT_KEY, retry=3)
oldest = Hubspot3(api_key=settings.HUBSPOT_KEY)
