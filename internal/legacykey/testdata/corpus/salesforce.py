from simple_salesforce import Salesforce

sf = Salesforce(username="ada@lovelace.example", password="fake-password", security_token="fakeSecurityToken0000000")
session = "00D000000000001AAA!AQ0fake0fake0fake0fake0fake0fake0fake0fake0fake"
refresh = "5Aep861fake0fake0fake0fake0fake0fake0fake"
