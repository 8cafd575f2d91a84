"""simple-salesforce, unmodified, against the Salesforce sandbox.

It speaks https only, so its session rewrites each address to the sandbox's:

    python3 -m venv venv && venv/bin/pip install simple-salesforce
    SANDBOX_SALESFORCE=http://127.0.0.1:… SANDBOX_MANAGE=http://127.0.0.1:… venv/bin/python simple_salesforce_test.py
"""

import datetime
import json
import os
import unittest
import urllib.parse
import urllib.request
import uuid

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceLogin, format_soql
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

SERVER = os.environ["SANDBOX_SALESFORCE"].rstrip("/")
MANAGE = os.environ["SANDBOX_MANAGE"].rstrip("/")
RUN = uuid.uuid4().hex[:10]


class ToSandbox(HTTPAdapter):
    """Sends what goes to https://anything to the sandbox."""

    def send(self, request, **options):
        parts = urllib.parse.urlsplit(request.url)
        request.headers["Host"] = parts.netloc
        request.url = SERVER + urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
        return super().send(request, **options)


def session():
    made = requests.Session()
    made.mount("https://", ToSandbox())
    return made


def post(path, body):
    request = urllib.request.Request(MANAGE + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class SimpleSalesforce(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.app = post("/salesforce/apps", {"name": "simple-salesforce " + RUN})
        token = post("/salesforce/tokens", {"username": cls.app["username"]})["token"]
        cls.sf = Salesforce(session_id=token, instance="lockstep-dev-ed.my.salesforce.com", session=session())

    def test_signs_in_with_password_and_security_token(self):
        token, instance = SalesforceLogin(
            username=self.app["username"], password=self.app["password"], security_token=self.app.get("securityToken", ""), session=session(), domain="login"
        )
        self.assertRegex(token, r"^00D\w{12}![\w.]+$")
        self.assertTrue(instance)

    def test_a_wrong_password_is_refused(self):
        with self.assertRaises(SalesforceAuthenticationFailed) as refused:
            SalesforceLogin(username=self.app["username"], password="fake-wrong", security_token="", session=session())
        self.assertEqual(refused.exception.code, "INVALID_LOGIN")

    def test_signs_in_with_client_credentials(self):
        token, _ = SalesforceLogin(consumer_key=self.app["clientId"], consumer_secret=self.app["clientSecret"], session=session(), domain="lockstep-dev-ed.my")
        self.assertRegex(token, r"^00D\w{12}![\w.]+$")

    def test_a_wrong_secret_is_refused(self):
        with self.assertRaises(SalesforceAuthenticationFailed) as refused:
            SalesforceLogin(consumer_key=self.app["clientId"], consumer_secret="fake-wrong", session=session(), domain="lockstep-dev-ed.my")
        self.assertEqual((refused.exception.code, refused.exception.auth_message), ("invalid_client", "invalid client credentials"))

    def test_a_record_is_created_read_updated_upserted_deleted(self):
        made = self.sf.Contact.create({"LastName": "Müller", "Email": f"{RUN}@acme.example"})
        self.assertEqual((made["success"], made["errors"]), (True, []))
        self.assertEqual(self.sf.Contact.get(made["id"])["LastName"], "Müller")
        self.assertEqual(self.sf.Contact.update(made["id"], {"Title": "CTO"}), 204)
        self.assertEqual(self.sf.Contact.upsert(f"HubSpot_Id__c/ss-{RUN}", {"LastName": "Ñandú"}), 201)
        self.assertEqual(self.sf.Contact.upsert(f"HubSpot_Id__c/ss-{RUN}", {"Title": "CEO"}), 200)
        self.assertEqual(self.sf.Contact.get_by_custom_id("HubSpot_Id__c", "ss-" + RUN)["Title"], "CEO")
        self.assertEqual(self.sf.Contact.delete(made["id"]), 204)
        with self.assertRaises(SalesforceResourceNotFound):
            self.sf.Contact.get(made["id"])

    def test_errors_keep_code_and_fields(self):
        with self.assertRaises(SalesforceMalformedRequest) as refused:
            self.sf.Contact.create({"FirstName": "Ana"})
        self.assertEqual(refused.exception.content[0]["errorCode"], "REQUIRED_FIELD_MISSING")
        self.assertEqual(refused.exception.content[0]["fields"], ["LastName"])

    def test_several_matches_of_an_email(self):
        for name in ("One", "Two"):
            self.sf.Contact.create({"LastName": name, "Email": f"twice-{RUN}@acme.example"})
        with self.assertRaises(SalesforceMoreThanOneRecord):
            self.sf.Contact.get_by_custom_id("Email", f"twice-{RUN}@acme.example")

    def test_queries_page_and_quote(self):
        account = self.sf.Account.create({"Name": f"O'Hara {RUN}"})["id"]
        for start in range(0, 2200, 200):
            self.sf.restful("composite/sobjects", method="POST", json={
                "allOrNone": True,
                "records": [{"attributes": {"type": "Contact"}, "LastName": f"Row {start + i:04}", "AccountId": account} for i in range(200)],
            })
        rows = self.sf.query_all(format_soql("SELECT Id, LastName, Account.Name FROM Contact WHERE AccountId = {} ORDER BY LastName", account))
        self.assertEqual((rows["totalSize"], len(rows["records"]), rows["done"]), (2200, 2200, True))
        self.assertEqual(rows["records"][2199]["Account"]["Name"], f"O'Hara {RUN}")
        found = self.sf.query(format_soql("SELECT Id FROM Account WHERE Name = {}", f"O'Hara {RUN}"))
        self.assertEqual([r["Id"] for r in found["records"]], [account])
        since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        recent = self.sf.query(format_soql("SELECT COUNT() FROM Contact WHERE SystemModstamp > {} AND AccountId = {}", since, account))
        self.assertEqual(recent["totalSize"], 2200)

    def test_describe_search_limits_and_changes(self):
        self.assertIn("Contact", [o["name"] for o in self.sf.describe()["sobjects"]])
        self.assertEqual(self.sf.Lead.describe()["keyPrefix"], "00Q")
        self.assertEqual(self.sf.limits()["DailyApiRequests"]["Max"] > 0, True)
        self.assertEqual(self.sf.search("FIND {nobody-like-this}")["searchRecords"], [])
        now = datetime.datetime.now(datetime.timezone.utc)
        made = self.sf.Lead.create({"LastName": "Kept", "Company": RUN})["id"]
        changed = self.sf.Lead.updated(now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1))
        self.assertIn(made, changed["ids"])
        self.assertGreater(self.sf.api_usage["api-usage"].used, 0)


if __name__ == "__main__":
    unittest.main()
